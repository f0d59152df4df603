using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Weir.Cli.Tests;

/// <summary>A node that gives one answer to everybody and remembers the last request.</summary>
internal sealed class FakeNode : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly byte[]? _answer;

    /// <summary>Starts to answer with a status and a body.</summary>
    public FakeNode(int status, string body)
        : this(Encoding.UTF8.GetBytes($"HTTP/1.1 {status} Status\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n\r\n{body}"))
    {
    }

    private FakeNode(byte[]? answer)
    {
        _answer = answer;
        _listener.Start();
        _ = ServeAsync();
    }

    /// <summary>Where it answers.</summary>
    public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>The last request as it came.</summary>
    public string Request { get; private set; } = "";

    /// <summary>The body of the last request.</summary>
    public string RequestBody => Request[(Request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];

    /// <summary>A node that accepts connections and never answers.</summary>
    public static FakeNode Silent() => new(answer: null);

    /// <summary>A URL where nobody listens.</summary>
    public static string UnusedUrl()
    {
        using var node = Silent();
        return node.Url;
    }

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync();
                Request = await ReadAsync(client.GetStream());
                if (_answer is null)
                    await client.GetStream().ReadExactlyAsync(new byte[1]);
                else
                    await client.GetStream().WriteAsync(_answer);
            }
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static async Task<string> ReadAsync(NetworkStream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[4_096];
        while (!IsWhole(text.ToString()))
            text.Append(Encoding.UTF8.GetString(buffer, 0, await stream.ReadAsync(buffer)));
        return text.ToString();
    }

    private static bool IsWhole(string request)
    {
        var end = request.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
            return false;
        const string header = "Content-Length: ";
        var at = request.IndexOf(header, StringComparison.OrdinalIgnoreCase);
        var length = at < 0 ? 0 : int.Parse(request[(at + header.Length)..request.IndexOf('\r', at)], CultureInfo.InvariantCulture);
        return Encoding.UTF8.GetByteCount(request[(end + 4)..]) >= length;
    }
}
