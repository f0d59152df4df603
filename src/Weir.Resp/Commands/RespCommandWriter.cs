using System.Buffers.Text;
using System.Text;

namespace Weir.Resp;

/// <summary>
/// Writes one command into the buffer that goes to the server: first <see cref="Begin"/> with the number of arguments, the command's name
/// included, then each of them. It lives on the stack during <see cref="IRespCommand.Write"/>.
/// </summary>
public ref struct RespCommandWriter
{
    /// <summary>The most arguments that a command may have: 1,048,576, as servers allow.</summary>
    public const int MaxArguments = 1 << 20;

    private const int StackBytes = 256;

    private readonly SendBuffer _buffer;
    private int _arguments;
    private int _written;
    private bool _isClient;

    internal RespCommandWriter(SendBuffer buffer) => _buffer = buffer;

    /// <summary>Starts the command.</summary>
    /// <param name="arguments">How many arguments follow, the name included: 1 to <see cref="MaxArguments"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is out of its range.</exception>
    /// <exception cref="InvalidOperationException">A command was begun already.</exception>
    public void Begin(int arguments)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(arguments, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(arguments, MaxArguments);
        if (_arguments > 0)
            throw new InvalidOperationException("One command is written at a time, and one was begun already.");
        _arguments = arguments;
        WriteHeader((byte)'*', arguments);
    }

    /// <summary>Writes an argument of any bytes.</summary>
    /// <exception cref="InvalidOperationException">
    /// There are more arguments than <see cref="Begin"/> said, or the command is one whose replies do not follow commands one to one.
    /// </exception>
    public void Write(scoped ReadOnlySpan<byte> argument)
    {
        if (_written < 2)
            CheckName(argument);
        argument.CopyTo(Next(argument.Length));
    }

    /// <summary>Writes a text as UTF-8.</summary>
    /// <exception cref="InvalidOperationException">As for bytes.</exception>
    public void Write(scoped ReadOnlySpan<char> argument)
    {
        if (_written >= 2)
        {
            Encoding.UTF8.GetBytes(argument, Next(Encoding.UTF8.GetByteCount(argument)));
            return;
        }
        var length = Encoding.UTF8.GetByteCount(argument);
        var bytes = length <= StackBytes ? stackalloc byte[StackBytes] : new byte[length];
        Encoding.UTF8.GetBytes(argument, bytes);
        Write(bytes[..length]);
    }

    /// <summary>Writes a whole number in decimal.</summary>
    /// <exception cref="InvalidOperationException">As for bytes.</exception>
    public void Write(long argument)
    {
        Span<byte> digits = stackalloc byte[20];
        Utf8Formatter.TryFormat(argument, digits, out var length);
        Write(digits[..length]);
    }

    /// <summary>
    /// Makes room for an argument that the caller then fills in place, all of it. Not for the command's name and the word after it.
    /// </summary>
    /// <param name="length">Bytes of the argument: 0 or more.</param>
    /// <returns>The room, with whatever was there before. It is valid until the next call of this writer.</returns>
    /// <exception cref="InvalidOperationException">As for bytes, or this is one of the first two arguments.</exception>
    public Span<byte> Reserve(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (_written < 2)
            throw new InvalidOperationException("The name of a command and the word after it are written with Write, which checks them.");
        return Next(length);
    }

    /// <summary>Writes a whole command that was checked when it was encoded.</summary>
    internal void WriteEncoded(scoped ReadOnlySpan<byte> command)
    {
        if (_arguments > 0)
            throw new InvalidOperationException("One command is written at a time, and one was begun already.");
        _arguments = _written = 1;
        command.CopyTo(_buffer.Append(command.Length));
    }

    internal readonly void ThrowIfIncomplete()
    {
        if (_arguments == 0 || _written < _arguments)
            throw new InvalidOperationException($"The command has {_written} arguments where {_arguments} were announced. Write each of them.");
    }

    private Span<byte> Next(int length)
    {
        if (_written >= _arguments)
            throw new InvalidOperationException($"The command has more than the {_arguments} arguments that were announced.");
        _written++;
        WriteHeader((byte)'$', length);
        var room = _buffer.Append(length + 2);
        room[length] = (byte)'\r';
        room[length + 1] = (byte)'\n';
        return room[..length];
    }

    private readonly void WriteHeader(byte type, int number)
    {
        Span<byte> header = stackalloc byte[13];
        header[0] = type;
        Utf8Formatter.TryFormat(number, header[1..], out var digits);
        header[digits + 1] = (byte)'\r';
        header[digits + 2] = (byte)'\n';
        header[..(digits + 3)].CopyTo(_buffer.Append(digits + 3));
    }

    private void CheckName(scoped ReadOnlySpan<byte> word)
    {
        if (_written == 0 ? RespCommandNames.BreaksOrder(word) : _isClient && RespCommandNames.IsReply(word))
            throw new InvalidOperationException($"The command {Encoding.UTF8.GetString(word)} makes replies that do not follow commands one to one.");
        _isClient = _written == 0 && RespCommandNames.IsClient(word);
    }
}
