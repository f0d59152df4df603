using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Weir.AspNetCore.Tests.Running;

/// <summary>A server that takes requests and then does something wrong, and says that it is ready.</summary>
internal sealed class BrokenNode : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly string? _answer;
    private readonly Task _serving;
    private int _posts;

    /// <param name="answer">What it answers to a POST; null closes the connection without a word.</param>
    public BrokenNode(string? answer)
    {
        _answer = answer;
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>POSTs that it has read to their end.</summary>
    public int Posts => Volatile.Read(ref _posts);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _serving;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                await AnswerAsync(client.GetStream());
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or IOException or InvalidOperationException)
        {
            // The test ends.
        }
    }

    private async Task AnswerAsync(NetworkStream stream)
    {
        var read = new StringBuilder();
        var buffer = new byte[8192];
        while (!IsWhole(read.ToString()) && await stream.ReadAsync(buffer, _stop.Token) is var count and > 0)
            read.Append(Encoding.UTF8.GetString(buffer, 0, count));
        var request = read.ToString();
        if (request.StartsWith("POST", StringComparison.Ordinal))
        {
            Interlocked.Increment(ref _posts);
            if (_answer is not null)
                await stream.WriteAsync(Encoding.UTF8.GetBytes(_answer), _stop.Token);
        }
        else if (request.Length > 0)
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray(), _stop.Token);
        }
    }

    private static bool IsWhole(string request)
    {
        var end = request.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
            return false;
        var length = request.Split("\r\n").FirstOrDefault(static l => l.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
        return length is null || Encoding.UTF8.GetByteCount(request[(end + 4)..]) >= int.Parse(length[15..]);
    }
}
