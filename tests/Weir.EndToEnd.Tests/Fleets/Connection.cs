using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Weir.EndToEnd.Tests.Fleets;

/// <summary>
/// A connection that sends each request exactly once and knows whether it was answered. An ordinary HTTP client sends a request again when a kept connection turns
/// out to be closed, and what was charged could not be accounted for.
/// </summary>
internal sealed class Connection : IDisposable
{
    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[4096];

    private Connection(Socket socket) => _socket = socket;

    /// <summary>Whether the node has said that this connection ends.</summary>
    public bool IsEnding { get; private set; }

    /// <exception cref="SocketException">Nobody listens.</exception>
    public static async Task<Connection> OpenAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return new Connection(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends a request and waits for its answer as long as it takes.</summary>
    /// <exception cref="IOException">The connection ended first.</exception>
    /// <exception cref="SocketException">The connection broke first.</exception>
    public async ValueTask<Fate> AskAsync(byte[] request)
    {
        await _socket.SendAsync(request);
        for (var length = 0; ;)
        {
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(length));
            if (read == 0)
                throw new IOException("The connection ended without an answer.");
            length += read;
            if (TryParse(_buffer.AsSpan(0, length), out var fate))
                return fate;
        }
    }

    public void Dispose() => _socket.Dispose();

    private bool TryParse(ReadOnlySpan<byte> answer, out Fate fate)
    {
        fate = Fate.Other;
        var end = answer.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return false;
        var head = answer[..(end + 2)];
        var body = answer[(end + 4)..];
        if (body.Length < int.Parse(Header(head, "\r\nContent-Length: "u8), CultureInfo.InvariantCulture))
            return false;
        IsEnding = Header(head, "\r\nConnection: "u8) == "close";
        var isDegraded = body.IndexOf("\"source\":\"degraded\""u8) >= 0;
        fate = (Encoding.ASCII.GetString(head.Slice("HTTP/1.1 ".Length, 3)), isDegraded) switch
        {
            ("200", false) => Fate.Allowed,
            ("200", true) => Fate.DegradedAllowed,
            ("429", false) => Fate.Refused,
            ("503", true) => Fate.DegradedRefused,
            _ => Fate.Other,
        };
        return true;
    }

    private static string Header(ReadOnlySpan<byte> head, ReadOnlySpan<byte> name)
    {
        var at = head.IndexOf(name);
        if (at < 0)
            return "";
        var value = head[(at + name.Length)..];
        return Encoding.ASCII.GetString(value[..value.IndexOf("\r\n"u8)]);
    }
}
