using System.Net.Sockets;
using System.Text;

namespace Weir.TestKit.Redis;

/// <summary>
/// The plainest client: one command, then its reply. For fixtures and for looking at a server behind the back of what is tested.
/// </summary>
public sealed class PlainClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly TcpClient _tcp = new() { NoDelay = true };
    private readonly BufferedStream _stream;

    private PlainClient(int port)
    {
        _tcp.Connect("127.0.0.1", port);
        var stream = _tcp.GetStream();
        stream.ReadTimeout = (int)Patience.TotalMilliseconds;
        _stream = new BufferedStream(stream);
    }

    /// <summary>Connects to a server on this machine.</summary>
    public static PlainClient Connect(int port) => new(port);

    /// <summary>Sends a command on a connection of its own.</summary>
    public static PlainReply Call(int port, params string[] arguments)
    {
        using var client = Connect(port);
        return client.Call(arguments);
    }

    /// <summary>Sends a command and reads its reply.</summary>
    public PlainReply Call(params string[] arguments)
    {
        var command = new StringBuilder($"*{arguments.Length}\r\n");
        foreach (var argument in arguments)
            command.Append($"${Encoding.UTF8.GetByteCount(argument)}\r\n{argument}\r\n");
        _tcp.GetStream().Write(Encoding.UTF8.GetBytes(command.ToString()));
        return PlainReply.Read(_stream);
    }

    public void Dispose()
    {
        _stream.Dispose();
        _tcp.Dispose();
    }
}
