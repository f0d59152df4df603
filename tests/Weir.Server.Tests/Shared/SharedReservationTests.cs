using Weir.Server.Tests.Http;
using Weir.TestKit.Redis;

namespace Weir.Server.Tests.Shared;

/// <summary>Reservations made on one node and settled on another.</summary>
public sealed class SharedReservationTests
{
    private const string Slots = """
        domain: default
        descriptors:
          - { key: slots, rate_limit: { name: slots, algorithm: concurrency, limit: 2, window: 30s } }
          - { key: user, rate_limit: { name: per-user, limit: 10, window: 1m, failure: open } }
        """;

    [Theory]
    [InlineData(10, 40, 0, 90)]
    [InlineData(50, 0, 0, 50)]
    [InlineData(70, 0, 20, 30)]
    public async Task Commit_OnAnotherNode_CorrectsTheCharge(int actual, int refunded, int overcharged, int remaining)
    {
        await using var nodes = await SharedNodes.WithNodesAsync(2);
        var id = await ReserveAsync(nodes[0], """{"key":"alice","cost":50}""");

        var commit = await CommitAsync(nodes[1], id, actual);

        Assert.Equal(
            (200, $$"""{"committed":true,"reserved":50,"actual":{{actual}},"refunded":{{refunded}},"overcharged":{{overcharged}}}"""), (commit.Status, commit.Text));
        Assert.Equal(remaining, await nodes[0].RemainingAsync("alice"));
        Assert.Contains($"'{id}' is not open", (await CommitAsync(nodes[0], id, actual)).Problem(404, "reservation"));
        (await RenewAsync(nodes[1], id)).Problem(404, "reservation");
    }

    [Fact]
    public async Task Commit_ByManyOnAllNodes_CorrectsOnce()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(2);
        var id = await ReserveAsync(nodes[0], """{"key":"alice","cost":50}""");

        var replies = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => CommitAsync(nodes[i % 2], id, 10)));

        Assert.Equal((1, 15), (replies.Count(static r => r.Status == 200), replies.Count(static r => r.Status == 404)));
        Assert.Equal(90, await nodes[1].RemainingAsync("alice"));
    }

    [Fact]
    public async Task Reservation_EndsWithItsTimeUnlessItIsRenewed_AnywhereElse()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(2);
        var kept = await ReserveAsync(nodes[0], """{"key":"alice","cost":10,"ttl_ms":1000}""");
        var ended = await ReserveAsync(nodes[0], """{"key":"alice","cost":10,"ttl_ms":1000}""");

        await Eventually.IsTrueAsync(
            async () =>
            {
                Assert.Equal("""{"renewed":true,"expires_ms":1000}""", (await RenewAsync(nodes[1], kept)).Text);
                return (await CommitAsync(nodes[1], ended, 0)).Status == 404 || nodes.Server.Call("KEYS", $"*{ended}").Items.Count == 0;
            },
            "one has ended");

        Assert.Equal(200, (await CommitAsync(nodes[1], kept, 0)).Status);
    }

    [Fact]
    public async Task Leases_AreRenewedAndReleasedOnAnotherNode()
    {
        await using var nodes = await SharedNodes.StartAsync();
        var path = Path.Combine(nodes.Server.WorkingFolder, "rules.yaml");
        await File.WriteAllTextAsync(path, Slots);
        await nodes.AddAsync(("RULES", path));
        await nodes.AddAsync(("RULES", path));
        const string slot = """{"descriptors":[{"entries":[{"key":"slots","value":"a"}]}],"cost":1}""";
        var first = await ReserveAsync(nodes[0], slot);
        await ReserveAsync(nodes[1], slot);
        Assert.Equal(429, (await nodes[1].PostAsync("/reserve", slot)).Status);

        Assert.Equal(30_000, (await RenewAsync(nodes[1], first)).Number("expires_ms"));
        Assert.Equal(200, (await CommitAsync(nodes[1], first, 1)).Status);

        Assert.Equal(200, (await nodes[0].PostAsync("/reserve", slot)).Status);
    }

    [Fact]
    public async Task WithoutRedis_ACommitIsRefused_AndCanBeMadeLater()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(1);
        var id = await ReserveAsync(nodes[0], """{"key":"alice","cost":50}""");

        nodes.Server.Pause();
        try
        {
            var detail = (await CommitAsync(nodes[0], id, 10)).Problem(503, "engine");
            Assert.Contains("The server did not answer in time.", detail);
            (await RenewAsync(nodes[0], id)).Problem(503, "engine");
        }
        finally
        {
            nodes.Server.Resume();
        }

        // The refused commits reach Redis now, too late to do anything.
        Reply commit;
        while ((commit = await CommitAsync(nodes[0], id, 10)).Status == 503)
            await nodes[0].IsReadyAsync();
        Assert.Equal("""{"committed":true,"reserved":50,"actual":10,"refunded":40,"overcharged":0}""", commit.Text);
        Assert.Equal(90, await nodes[0].RemainingAsync("alice"));
        Assert.InRange(await nodes[0].MetricAsync("ratelimiter_http_requests_rejected_total{reason=\"unavailable\"}"), 2, double.MaxValue);
    }

    // Redis answers too late for decisions, but not for a reservation, which is taken out before it is settled.
    [Fact]
    public async Task WhileRedisIsSlow_ACommitThatCannotBeSettled_IsPutBack()
    {
        await using var nodes = await SharedNodes.StartAsync();
        await using var proxy = new FaultyProxy(nodes.Server.Port);
        var node = await nodes.AddAsync(("REDIS_URL", $"redis://127.0.0.1:{proxy.Port}"), ("DECISION_TIMEOUT_MS", "300"));
        await node.IsReadyAsync();
        var id = await ReserveAsync(node, """{"key":"alice","cost":50}""");
        proxy.Delay = TimeSpan.FromMilliseconds(200);
        await Eventually.IsTrueAsync(async () => (await node.GetAsync("/rate-limit/bob")).Text.Contains("degraded")
            && await node.MetricAsync("ratelimiter_engine_state{state=\"degraded\"}") == 1, "the engine has given up");

        Assert.Contains("nothing was done", (await CommitAsync(node, id, 10)).Problem(503, "engine"));

        proxy.Delay = TimeSpan.Zero;
        Reply commit;
        while ((commit = await CommitAsync(node, id, 10)).Status == 503)
            await node.IsReadyAsync();
        Assert.Equal(40, commit.Number("refunded"));
        Assert.Equal(90, await node.RemainingAsync("alice"));
    }

    // The policy 'open' says that requests go on, and those that reserve are requests too.
    [Fact]
    public async Task WithoutRedis_APolicyThatAllows_ReservesNothingAndCanBeCommitted()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(1, ("FAILURE_POLICY", "open"));
        await nodes.Server.KillAsync();
        await Eventually.IsTrueAsync(async () => (await nodes[0].GetAsync("/rate-limit/x")).String("source") == "degraded", "the node has noticed");

        var reserved = await nodes[0].PostAsync("/reserve", """{"key":"alice","cost":50}""");

        Assert.Equal((200, "degraded"), (reserved.Status, reserved.String("source")));
        Assert.Equal(200, (await RenewAsync(nodes[0], reserved.String("reservation")!)).Status);
        Assert.Equal(
            """{"committed":true,"reserved":0,"actual":7,"refunded":0,"overcharged":0}""", (await CommitAsync(nodes[0], reserved.String("reservation")!, 7)).Text);
    }

    [Fact]
    public async Task TooMany_AreRefused_AndGiveBackWhatTheyCharged()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(1);
        var now = long.Parse(nodes.Server.Call("TIME").Items[0].Text) * 1_000_000;
        const string fill = "for i = 1, ARGV[1] do redis.call('ZADD', KEYS[1], ARGV[2], i) end";
        foreach (var part in "0123456789abcdef")
            nodes.Server.Call("EVAL", fill, "1", $"weir:{{reservations:{part}}}", "6250", $"{now + 1_000_000_000}");

        var detail = (await nodes[0].PostAsync("/reserve", """{"key":"alice","cost":50}""")).Problem(503, "reservation");

        Assert.Equal("reservation: 100,000 reservations are open already. Commit some, or give them a shorter ttl_ms.", detail);
        Assert.Equal(100, await nodes[0].RemainingAsync("alice"));
    }

    private static async Task<string> ReserveAsync(RunningNode node, string body)
    {
        var reply = await node.PostAsync("/reserve", body);
        Assert.True(reply.Status == 200, reply.ToString());
        return reply.String("reservation")!;
    }

    private static Task<Reply> CommitAsync(RunningNode node, string id, int actual) => node.PostAsync("/commit", $$"""{"reservation":"{{id}}","actual":{{actual}}}""");

    private static Task<Reply> RenewAsync(RunningNode node, string id) => node.PostAsync("/renew", $$"""{"reservation":"{{id}}"}""");
}
