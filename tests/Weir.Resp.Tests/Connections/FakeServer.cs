using System.Net;
using System.Net.Sockets;
using System.Text;
using Weir.TestKit.Redis;

namespace Weir.Resp.Tests.Connections;

/// <summary>Something that listens and answers as a test wants it to.</summary>
internal sealed class FakeServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;

    private FakeServer(Func<NetworkStream, CancellationToken, Task> serve)
    {
        _listener.Start();
        _accepting = AcceptAsync(serve);
    }

    public RespEndpoint Endpoint => new("127.0.0.1", ((IPEndPoint)_listener.LocalEndpoint).Port);

    /// <summary>Greets each client with some bytes, or none, and then says nothing, or hangs up.</summary>
    public static FakeServer Greeting(string latin1, bool hangsUp) => new(async (stream, stop) =>
    {
        await stream.WriteAsync(Encoding.Latin1.GetBytes(latin1), stop);
        if (!hangsUp)
            await Task.Delay(Timeout.Infinite, stop);
    });

    /// <summary>Answers once a client has said something, and then hangs up.</summary>
    public static FakeServer Answering(string latin1) => new(async (stream, stop) =>
    {
        _ = await stream.ReadAtLeastAsync(new byte[4096], 1, throwOnEndOfStream: false, stop);
        await stream.WriteAsync(Encoding.Latin1.GetBytes(latin1), stop);
    });

    /// <summary>Answers each command.</summary>
    public static FakeServer Speaking(Func<string[], string> answer) => new((stream, stop) => Task.Run(() => Speak(stream, answer), stop));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
    }

    private static void Speak(NetworkStream stream, Func<string[], string> answer)
    {
        using var buffered = new BufferedStream(stream);
        try
        {
            while (true)
            {
                var command = PlainReply.Read(buffered).Items.Select(i => i.Text).ToArray();
                stream.Write(Encoding.Latin1.GetBytes(answer(command)));
            }
        }
        catch (IOException)
        {
            // The client has gone.
        }
    }

    private async Task AcceptAsync(Func<NetworkStream, CancellationToken, Task> serve)
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token), serve);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // The test is over, and the listener is stopped or gone.
        }
    }

    private async Task ServeAsync(TcpClient client, Func<NetworkStream, CancellationToken, Task> serve)
    {
        using (client)
        {
            try
            {
                await serve(client.GetStream(), _stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException)
            {
                // The test is over, or the client has gone.
            }
        }
    }
}
