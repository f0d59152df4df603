using System.Net;
using System.Net.Sockets;

namespace Weir.TestKit.Redis;

/// <summary>
/// Stands between a client and a server on this machine and makes the network bad: slow, silent in one or both directions, cut at a
/// certain byte.
/// </summary>
public sealed class FaultyProxy : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(2);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Lock _gate = new();
    private readonly HashSet<Socket> _sockets = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private long _cutAfter = long.MaxValue;
    private int _connections;

    /// <summary>Starts to listen.</summary>
    /// <param name="target">The server's port.</param>
    public FaultyProxy(int target)
    {
        Target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>The port of the server that new connections lead to.</summary>
    public int Target { get; set; }

    /// <summary>Where clients connect to.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How long each piece of data is kept, in each direction.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Keeps what clients send until this is false again.</summary>
    public bool HoldRequests { get; set; }

    /// <summary>Keeps what the server answers until this is false again: it has executed, and nobody learns of it.</summary>
    public bool HoldReplies { get; set; }

    /// <summary>How many connections were accepted so far.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>
    /// Cuts all connections, and further ones, as soon as this many more bytes of replies have been passed on. Holds once.
    /// </summary>
    public void CutAfterReplyBytes(long count) => Volatile.Write(ref _cutAfter, count);

    /// <summary>Cuts all connections with a reset.</summary>
    public void CutAll()
    {
        lock (_gate)
        {
            foreach (var socket in _sockets)
                Reset(socket);
            _sockets.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        CutAll();
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
    }

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
            socket.Dispose();
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            // It was closed already.
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                Interlocked.Increment(ref _connections);
                _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // The proxy ends: its listener is stopped or gone.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        lock (_gate)
        {
            _sockets.Add(client);
            _sockets.Add(server);
        }
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, Target, _stop.Token);
            await Task.WhenAny(PumpAsync(client, server, isReplies: false), PumpAsync(server, client, isReplies: true));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The server is away, or the connection was cut.
        }
        client.Dispose();
        server.Dispose();
        lock (_gate)
        {
            _sockets.Remove(client);
            _sockets.Remove(server);
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool isReplies)
    {
        var buffer = new byte[32 << 10];
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token) is var count and > 0)
            {
                if (Delay > TimeSpan.Zero)
                    await Task.Delay(Delay, _stop.Token);
                while (isReplies ? HoldReplies : HoldRequests)
                    await Task.Delay(Look, _stop.Token);
                var passed = isReplies ? (int)Math.Min(count, Volatile.Read(ref _cutAfter)) : count;
                await to.SendAsync(buffer.AsMemory(0, passed), _stop.Token);
                if (isReplies && Interlocked.Add(ref _cutAfter, -passed) <= 0)
                {
                    Volatile.Write(ref _cutAfter, long.MaxValue);
                    CutAll();
                    return;
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Cut, by this side or another.
        }
    }
}
