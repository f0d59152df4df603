using System.Net.Sockets;
using Weir.Server.Hosting;
using Weir.Server.Tests.Http;

namespace Weir.Server.Tests.Hosting;

/// <summary>Stopping a node: readiness off, serve on, finish what was accepted, end in time.</summary>
public sealed class StopTests
{
    private const string Body = """{"key":"slow"}""";

    [Fact]
    public async Task Stop_UnderLoad_AnswersEverythingUntilTheDrainIsOver()
    {
        await using var node = await RunningNode.StartAsync(("DRAIN_MS", "3000"), ("DEFAULT_LIMIT", "1000000"));
        var drained = new TaskCompletionSource();
        var clients = Enumerable.Range(0, 8).Select(_ => KeepBusyAsync(node, drained.Task)).ToList();
        await UntilAsync(async () => await node.RemainingAsync("busy") < 999_900);

        var stopping = node.Node.StopAsync(default);
        await UntilAsync(async () => (await node.GetAsync("/health/ready")).Status == 503);
        var atStop = await node.RemainingAsync("busy");
        await UntilAsync(async () => await node.RemainingAsync("busy") < atStop - 100);

        Assert.Equal("""{"status":"not_ready","reason":"stopping"}""", (await node.GetAsync("/health/ready")).Text);
        Assert.Equal(200, (await node.GetAsync("/health")).Status);
        Assert.Equal("close", (await node.GetAsync("/rate-limit/x")).Header("Connection"));
        Assert.False(stopping.IsCompleted);
        drained.SetResult();
        node.Time.Advance(TimeSpan.FromSeconds(3));
        await stopping.WaitAsync(TimeSpan.FromSeconds(20));
        var tallies = await Task.WhenAll(clients);

        Assert.All(tallies, t => Assert.Empty(t.Lost));
        Assert.True(tallies.Sum(t => t.Answered) > 200);
        await Assert.ThrowsAsync<SocketException>(() => node.ConnectAsync());
    }

    [Fact]
    public async Task Stop_FinishesARequestThatIsStillComing()
    {
        await using var node = await RunningNode.StartAsync();
        using var slow = await node.ConnectAsync();
        await slow.SendAsync($"POST /check HTTP/1.1\r\nHost: node\r\nContent-Length: {Body.Length}\r\n\r\n{Body[..5]}");
        // The first half has arrived when a request sent after it is answered.
        await node.GetAsync("/health");

        var stopping = node.Node.StopAsync(default);
        await UntilAsync(async () => !await CanConnectAsync(node));
        await slow.SendAsync(Body[5..]);
        var reply = await slow.ReadAsync();
        await stopping.WaitAsync(TimeSpan.FromSeconds(20));

        Assert.Equal((200, 99), (reply.Status, reply.Number("remaining")));
        Assert.True(await slow.IsClosedAsync());
    }

    [Fact]
    public async Task Stop_DoesNotWaitForeverForACallerThatNeverFinishes()
    {
        await using var node = await RunningNode.StartAsync(("SHUTDOWN_GRACE_MS", "300"));
        using var stuck = await node.ConnectAsync();
        await stuck.SendAsync($"POST /check HTTP/1.1\r\nHost: node\r\nContent-Length: {Body.Length}\r\n\r\n{Body[..5]}");
        await node.GetAsync("/health");

        await node.Node.StopAsync(default).WaitAsync(TimeSpan.FromSeconds(10));

        await stuck.DrainAsync();
        Assert.False(await CanConnectAsync(node));
    }

    [Fact]
    public async Task Stop_ClosesIdleConnectionsAtOnce()
    {
        await using var node = await RunningNode.StartAsync(("SHUTDOWN_GRACE_MS", "600000"));
        using var idle = await node.ConnectAsync();
        await idle.AskAsync("/health");

        await node.Node.StopAsync(default).WaitAsync(TimeSpan.FromSeconds(20));

        Assert.True(await idle.IsClosedAsync());
    }

    [Fact]
    public async Task Stop_Twice_IsHarmless()
    {
        await using var node = await RunningNode.StartAsync();

        await node.Node.StopAsync(default);
        await node.Node.StopAsync(default);
    }

    [Fact]
    public async Task Run_EndsWithZeroWhenItIsToldToStop()
    {
        using var free = new TcpListener(System.Net.IPAddress.Loopback, 0);
        free.Start();
        var address = new Uri($"http://{free.LocalEndpoint}");
        free.Stop();
        using var stop = new CancellationTokenSource();
        using var client = new HttpClient();

        var running = Node.RunAsync(RunningNode.Config(("NODE_PORT", $"{address.Port}"), ("SHUTDOWN_GRACE_MS", "300")), stop.Token);
        await UntilAsync(async () => await AnswersAsync(client, address));
        using var stuck = await RawConnection.OpenAsync(address);
        await stuck.SendAsync("POST /check HTTP/1.1\r\nHost: node\r\nContent-Length: 9\r\n\r\n{");
        await AnswersAsync(client, address);
        await stop.CancelAsync();

        Assert.Equal(0, await running.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    private sealed record Tally(int Answered, IReadOnlyList<string> Lost);

    // Asks again and again, on one connection as long as the node keeps it. Once the drain is over a connection may end instead of an answer, but no
    // answer may break off.
    private static async Task<Tally> KeepBusyAsync(RunningNode node, Task drained)
    {
        var answered = 0;
        var lost = new List<string>();
        while (true)
        {
            try
            {
                using var connection = await node.ConnectAsync();
                Reply reply;
                do
                {
                    reply = await connection.AskAsync("/rate-limit/busy");
                    answered++;
                    if (reply.Status != 200)
                        lost.Add(reply.ToString());
                }
                while (reply.Header("Connection") != "close");
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                if (!drained.IsCompleted || e.Message.StartsWith("The connection was closed after", StringComparison.Ordinal))
                    lost.Add(e.Message);
                return new Tally(answered, lost);
            }
        }
    }

    private static async Task<bool> CanConnectAsync(RunningNode node)
    {
        try
        {
            using var connection = await node.ConnectAsync();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task<bool> AnswersAsync(HttpClient client, Uri address)
    {
        try
        {
            return (await client.GetAsync(new Uri(address, "/health"))).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var giveUp = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await condition())
            await Task.Delay(TimeSpan.FromMilliseconds(5), giveUp.Token);
    }
}
