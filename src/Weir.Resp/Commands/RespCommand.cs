namespace Weir.Resp;

/// <summary>A command that is encoded once and can be sent any number of times, from any number of threads. Immutable.</summary>
public sealed class RespCommand : IRespCommand
{
    private readonly byte[] _encoded;

    private RespCommand(SendBuffer buffer) => _encoded = buffer.Written.ToArray();

    /// <summary>Encodes a command of texts, as UTF-8.</summary>
    /// <param name="arguments">The name and what follows it: at least one.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are no arguments.</exception>
    /// <exception cref="InvalidOperationException">
    /// The command is one whose replies do not follow commands one to one, such as <c>SUBSCRIBE</c>.
    /// </exception>
    public static RespCommand Create(params ReadOnlySpan<string> arguments)
    {
        var buffer = new SendBuffer();
        try
        {
            var writer = new RespCommandWriter(buffer);
            writer.Begin(arguments.Length);
            foreach (var argument in arguments)
                writer.Write(argument);
            return new RespCommand(buffer);
        }
        finally
        {
            buffer.Free();
        }
    }

    /// <summary>Encodes a command of any bytes.</summary>
    /// <param name="arguments">The name and what follows it: at least one.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are no arguments.</exception>
    /// <exception cref="InvalidOperationException">
    /// The command is one whose replies do not follow commands one to one, such as <c>SUBSCRIBE</c>.
    /// </exception>
    public static RespCommand Create(params ReadOnlySpan<ReadOnlyMemory<byte>> arguments)
    {
        var buffer = new SendBuffer();
        try
        {
            var writer = new RespCommandWriter(buffer);
            writer.Begin(arguments.Length);
            foreach (var argument in arguments)
                writer.Write(argument.Span);
            return new RespCommand(buffer);
        }
        finally
        {
            buffer.Free();
        }
    }

    /// <inheritdoc/>
    public void Write(ref RespCommandWriter writer) => writer.WriteEncoded(_encoded);
}
