using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Weir.LoadGen.Tests.Running;

/// <summary>A server below HTTP, for answers that no HTTP server gives. Each connection is handled by a function of its requests' numbers.</summary>
internal sealed class RawServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<Socket, int, Task<bool>> _answer;
    private int _requests;

    /// <param name="answer">Answers the n-th request of a connection, from 0; false closes it.</param>
    public RawServer(Func<Socket, int, Task<bool>> answer)
    {
        _answer = answer;
        _listener.Start();
        _ = ServeAsync();
    }

    public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>Requests that were read.</summary>
    public int Requests => Volatile.Read(ref _requests);

    public static Task SendAsync(Socket socket, string text) => socket.SendAsync(Encoding.ASCII.GetBytes(text));

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
                _ = HandleAsync(await _listener.AcceptSocketAsync());
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            // The test is over.
        }
    }

    private async Task HandleAsync(Socket socket)
    {
        var buffer = new byte[16 * 1024];
        using (socket)
        {
            try
            {
                for (var number = 0; await socket.ReceiveAsync(buffer) > 0; number++)
                {
                    Interlocked.Increment(ref _requests);
                    if (!await _answer(socket, number))
                        return;
                }
            }
            catch (SocketException)
            {
                // The client went.
            }
        }
    }
}
