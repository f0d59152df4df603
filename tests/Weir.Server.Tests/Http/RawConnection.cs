using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Weir.Server.Tests.Http;

/// <summary>A connection on which a test says every byte itself, where a client would tidy up or refuse.</summary>
internal sealed class RawConnection : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TcpClient _client;
    private readonly NetworkStream _stream;
    private readonly byte[] _one = new byte[1];

    private RawConnection(TcpClient client)
    {
        _client = client;
        _stream = client.GetStream();
    }

    public static async Task<RawConnection> OpenAsync(Uri address)
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(address.Host, address.Port);
        return new RawConnection(client);
    }

    /// <summary>A request without a body.</summary>
    public static string Request(string target, string method = "GET", string headers = "") => $"{method} {target} HTTP/1.1\r\nHost: node\r\n{headers}\r\n";

    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    public Task SendAsync(byte[] bytes) => _stream.WriteAsync(bytes).AsTask();

    /// <summary>Says that nothing more will be sent.</summary>
    public void FinishSending() => _client.Client.Shutdown(SocketShutdown.Send);

    /// <summary>Sends one request and reads its answer.</summary>
    public async Task<Reply> AskAsync(string target, string method = "GET")
    {
        await SendAsync(Request(target, method));
        return await ReadAsync(hasBody: method != "HEAD");
    }

    /// <summary>Reads one answer, and not a byte of the next.</summary>
    public async Task<Reply> ReadAsync(bool hasBody = true)
    {
        var status = await LineAsync() ?? throw new IOException("The connection was closed before an answer.");
        Assert.StartsWith("HTTP/1.1 ", status, StringComparison.Ordinal);
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (await LineAsync() is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':');
            Assert.True(headers.TryAdd(line[..colon], line[(colon + 1)..].Trim()), $"{line} is the second of its name.");
        }
        return new Reply(int.Parse(status.AsSpan(9, 3), CultureInfo.InvariantCulture), headers, hasBody ? await BodyAsync(headers) : []);
    }

    /// <summary>True when the node closes the connection and has sent nothing more.</summary>
    public async Task<bool> IsClosedAsync() => await ByteAsync() is null;

    /// <summary>Reads until the node ends the connection, in whatever way.</summary>
    public async Task DrainAsync()
    {
        try
        {
            while (await ByteAsync() is not null)
            {
            }
        }
        catch (IOException)
        {
            // A reset is an end, too.
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<byte[]> BodyAsync(Dictionary<string, string> headers)
    {
        if (headers.TryGetValue("Content-Length", out var length))
            return await BytesAsync(int.Parse(length, CultureInfo.InvariantCulture));
        if (!headers.ContainsKey("Transfer-Encoding"))
            return [];
        var body = new List<byte>();
        while (int.Parse((await LineAsync())!, NumberStyles.HexNumber, CultureInfo.InvariantCulture) is var size and > 0)
        {
            body.AddRange(await BytesAsync(size));
            await LineAsync();
        }
        await LineAsync();
        return [.. body];
    }

    private async Task<byte[]> BytesAsync(int count)
    {
        using var giveUp = new CancellationTokenSource(Patience);
        var bytes = new byte[count];
        await _stream.ReadExactlyAsync(bytes, giveUp.Token);
        return bytes;
    }

    private async Task<string?> LineAsync()
    {
        var line = new StringBuilder();
        while (await ByteAsync() is { } next)
        {
            if (next == '\n')
                return line.ToString().TrimEnd('\r');
            line.Append((char)next);
        }
        return line.Length == 0 ? null : throw new IOException($"The connection was closed after '{line}'.");
    }

    private async Task<byte?> ByteAsync()
    {
        using var giveUp = new CancellationTokenSource(Patience);
        return await _stream.ReadAsync(_one, giveUp.Token) == 0 ? null : _one[0];
    }
}
