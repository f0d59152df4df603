using System.Net;
using System.Net.Sockets;
using System.Text;
using Weir.LoadGen.Measuring;
using Weir.LoadGen.Profiles;
using Weir.LoadGen.Proof;
using Weir.LoadGen.Scheduling;
using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Running;

/// <summary>
/// Sends a few hundred requests to a server of our own inside this process before the run, so that what the runtime compiles and allocates on first use is not
/// measured as somebody's latency. Takes less than a second; the targets see nothing of it.
/// </summary>
internal static class Rehearsal
{
    private const double Seconds = 0.3;
    private const double Rate = 1_500;
    private const int Connections = 8;

    private static readonly byte[] Reply = Encoding.ASCII.GetBytes(
        "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\nX-RateLimit-Limit: 1\r\nX-RateLimit-Remaining: 0\r\nRetry-After: 1\r\n\r\n{}");

    /// <summary>Rehearses. Where no port can be had, nothing is rehearsed.</summary>
    public static async Task RunAsync(SendOptions options, TimeProvider time)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        try
        {
            listener.Start();
        }
        catch (SocketException)
        {
            return;
        }
        var serving = ServeAsync(listener);
        var target = new Target(new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}"), null);
        var clock = new RunClock(time);
        var stats = new RunStats(1);
        using (var depot = new Depot([target], options with { MaxInFlight = Connections }, clock, stats, new ProofLog(options.Keys.Count)))
        {
            var profile = new Profile(Shapes.Constant(Rate, Seconds));
            using var timeline = new Timeline(stats, profile, () => depot.InFlight);
            await OwnThread.RunAsync(() => new OpenLoop(profile, clock, Pause.Create(), depot, WhenFull.Skip).Run(CancellationToken.None));
            timeline.Sample(clock.Seconds);
            await depot.CloseAsync();
        }
        listener.Stop();
        await serving;
    }

    private static async Task ServeAsync(TcpListener listener)
    {
        var connections = new List<Task>();
        try
        {
            while (true)
                connections.Add(AnswerAsync(await listener.AcceptSocketAsync()));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The rehearsal is over.
        }
        await Task.WhenAll(connections);
    }

    private static async Task AnswerAsync(Socket socket)
    {
        var buffer = new byte[4 * 1024];
        try
        {
            using (socket)
            {
                // One request at a time and a short one: whatever arrives is a request.
                while (await socket.ReceiveAsync(buffer) > 0)
                    await socket.SendAsync(Reply);
            }
        }
        catch (SocketException)
        {
            // The client went.
        }
    }
}

/// <summary>Runs something that waits by blocking.</summary>
internal static class OwnThread
{
    /// <summary>Runs it on a thread of its own, above normal priority where that can be had, because it is late whenever others run instead.</summary>
    public static Task RunAsync(Action action)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                action();
                done.SetResult();
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        })
        {
            IsBackground = true,
            Name = "load schedule",
            Priority = ThreadPriority.AboveNormal,
        };
        thread.Start();
        return done.Task;
    }
}
