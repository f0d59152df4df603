using System.Collections.Concurrent;
using Weir.TestKit.Redis;

namespace Weir.Resp.Tests.Clients;

/// <summary>
/// Many callers on one connection while everything goes wrong at random: whoever gets a reply gets his own, nobody gets two, nobody
/// hangs, and what is said not to have been sent has not run.
/// </summary>
public class ChaosTests
{
    private const int Callers = 64;
    private const int Seed = 7_919;
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private enum End
    {
        Replied,
        Cancelled,
        TimedOut,
        LostUnsent,
        LostPerhapsRun,
        NotConnected,
    }

    [Fact]
    public async Task Chaos_EveryCallerGetsItsOwnReplyOrAFailure_ExactlyOnce()
    {
        Needs.Redis();
        await using var server = await RedisServer.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        var options = RespOptions.Parse($"redis://127.0.0.1:{proxy.Port}") with
        {
            MinBackOff = TimeSpan.FromMilliseconds(5),
            MaxBackOff = TimeSpan.FromMilliseconds(20),
            ConnectTimeout = TimeSpan.FromMilliseconds(300),
            StallTimeout = TimeSpan.FromMilliseconds(150),
            DeadlineResolution = TimeSpan.FromMilliseconds(1),
        };
        await using var client = new RespClient(options);
        await client.ConnectAsync();
        using var over = new CancellationTokenSource(Length);
        var ends = new ConcurrentDictionary<string, End>();
        var trouble = TroubleAsync(proxy, over.Token);
        var callers = Enumerable.Range(0, Callers).Select(i => Task.Run(() => CallAsync(client, i, ends, over.Token))).ToArray();
        await Task.WhenAll([trouble, .. callers]).WaitAsync(Length + Patience);

        var counts = ends.Values.GroupBy(e => e).ToDictionary(g => g.Key, g => g.Count());
        var summary = string.Join(", ", counts.Select(c => $"{c.Value} {c.Key}"));
        Assert.All(Enum.GetValues<End>(), end => Assert.True(counts.GetValueOrDefault(end) > 0, $"Nothing ended as {end}: {summary}"));
        Assert.True(proxy.Connections > 5, "There were too few cuts.");
        TestContext.Current.TestOutputHelper?.WriteLine(summary);
        await AssertRunsAsync(server, ends);
    }

    // Half of the calls only echo; the others leave a trace in the server, which tells afterwards how often they ran.
    private static async Task CallAsync(RespClient client, int caller, ConcurrentDictionary<string, End> ends, CancellationToken over)
    {
        var random = new Random(Seed + caller);
        for (var i = 0; !over.IsCancellationRequested; i++)
        {
            var nonce = $"{caller}-{i}-{new string('x', random.Next(random.Next(2) == 0 ? 20 : 3000))}";
            var isTrace = random.Next(2) == 0;
            var command = isTrace ? RespCommand.Create("HINCRBY", "runs", nonce, "1") : RespCommand.Create("ECHO", nonce);
            using var cancel = new CancellationTokenSource();
            if (random.Next(4) == 0)
                cancel.CancelAfter(random.Next(10));
            var end = await SendAsync(client, command, isTrace ? "1" : nonce, TimeSpan.FromMilliseconds(1 + random.Next(60)), cancel.Token);
            Assert.True(ends.TryAdd((isTrace ? "t" : "e") + nonce, end));
            // Whoever tried again at once would take all processors from those who mend the connection.
            if (end is End.NotConnected or End.LostUnsent)
                await Task.Delay(1, CancellationToken.None);
        }
    }

    private static async Task<End> SendAsync(RespClient client, RespCommand command, string expected, TimeSpan timeout, CancellationToken cancel)
    {
        try
        {
            using var reply = await client.SendAsync(command, timeout, cancel);
            if (reply.HasReply)
            {
                Assert.Equal(expected, reply.GetString());
                return End.Replied;
            }
            return reply.Failure switch
            {
                { Cause: RespCause.TimedOut } => End.TimedOut,
                { Cause: RespCause.NotConnected } => End.NotConnected,
                { Execution: RespExecution.NotSent } => End.LostUnsent,
                _ => End.LostPerhapsRun,
            };
        }
        catch (OperationCanceledException)
        {
            return End.Cancelled;
        }
    }

    private static async Task TroubleAsync(FaultyProxy proxy, CancellationToken over)
    {
        var random = new Random(Seed);
        while (!over.IsCancellationRequested)
        {
            await Task.Delay(random.Next(30, 150), CancellationToken.None);
            switch (random.Next(6))
            {
                case 0:
                    proxy.CutAll();
                    break;
                case 1:
                    proxy.CutAfterReplyBytes(random.Next(1, 20_000));
                    break;
                case 2:
                    proxy.HoldReplies = true;
                    break;
                case 3:
                    proxy.HoldRequests = true;
                    break;
                case 4:
                    proxy.Delay = TimeSpan.FromMilliseconds(random.Next(5));
                    break;
                default:
                    break;
            }
            await Task.Delay(random.Next(10, 300), CancellationToken.None);
            (proxy.HoldReplies, proxy.HoldRequests, proxy.Delay) = (false, false, TimeSpan.Zero);
        }
    }

    private static async Task AssertRunsAsync(RedisServer server, ConcurrentDictionary<string, End> ends)
    {
        // What was sent before a cut may still be on its way from the proxy to the server.
        await Eventually.IsTrueAsync(() => server.Call("INFO", "clients").Text.Contains("connected_clients:1") || server.Call("INFO", "clients").Text.Contains("connected_clients:2"), "old connections are gone");
        var items = server.Call("HGETALL", "runs").Items;
        var runs = Enumerable.Range(0, items.Count / 2).ToDictionary(i => items[2 * i].Text, i => items[(2 * i) + 1].Text);
        foreach (var (key, end) in ends.Where(e => e.Key[0] == 't'))
        {
            var ran = runs.GetValueOrDefault(key[1..], "0");
            var isRight = end switch
            {
                End.Replied => ran == "1",
                End.LostUnsent or End.NotConnected => ran == "0",
                _ => ran is "0" or "1",
            };
            Assert.True(isRight, $"{end}, and it ran {ran} times");
        }
    }
}
