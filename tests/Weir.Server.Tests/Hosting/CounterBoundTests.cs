using System.Text.Json;
using Weir.Server.Tests.Http;

namespace Weir.Server.Tests.Hosting;

/// <summary>A flood of new keys against the bound on counters.</summary>
public sealed class CounterBoundTests
{
    private const string Rules = """
        domain: default
        descriptors:
          - { key: open, rate_limit: { name: opens, limit: 5, window: 1m, failure: open } }
          - { key: closed, rate_limit: { name: closes, limit: 5, window: 1m, failure: closed } }
        """;

    [Fact]
    public async Task Flood_GetsWhatTheFailurePolicySaysAndOldCountersStayExact()
    {
        await using var node = await RunningNode.WithRulesAsync(Rules, ("MAX_COUNTERS", "1000"), ("DEFAULT_LIMIT", "3"));
        await node.GetAsync("/rate-limit/alice");

        var flood = await FloodAsync(node, 1500);

        Assert.Equal((999, 501), (flood.Count(s => s == 200), flood.Count(s => s == 503)));
        var refused = await node.GetAsync("/rate-limit/late");
        Assert.Contains("no room for another counter", refused.Problem(503));
        Assert.Equal("https://iana.org/assignments/http-problem-types#temporary-reduced-capacity", refused.String("type"));
        Assert.Equal(("degraded", false, "6"), (refused.String("source"), refused.Flag("allowed"), refused.Header("Retry-After")));
        var open = await CheckDescriptorsTests.CheckAsync(node, "open=late");
        Assert.Equal((200, "degraded", true), (open.Status, open.String("source"), open.Flag("allowed")));
        Assert.Equal(503, (await CheckDescriptorsTests.CheckAsync(node, "closed=late")).Status);
        Assert.Equal(503, (await CheckDescriptorsTests.CheckAsync(node, "open=late", "closed=late")).Status);
        Assert.Equal((200, "exact"), await node.GetAsync("/rate-limit/late?cost=0") is var look ? (look.Status, look.String("source")) : default);
        Assert.Equal("200 200 429", $"{(await node.GetAsync("/rate-limit/alice")).Status} {(await node.GetAsync("/rate-limit/alice")).Status} {(await node.GetAsync("/rate-limit/alice")).Status}");
        Assert.Equal(1000, (await node.GetAsync("/api/counters?limit=1")).Number("total"));
        Assert.Contains("ratelimiter_degraded_decisions_total{reason=\"counter_bound\"} 505\n", (await node.GetAsync("/metrics")).Text);
        Assert.Equal(200, (await node.GetAsync("/health/ready")).Status);
    }

    [Fact]
    public async Task Flood_WithAnOpenDefault_IsAllowedAndMarked()
    {
        await using var node = await RunningNode.StartAsync(("MAX_COUNTERS", "1000"), ("FAILURE_POLICY", "open"));
        await FloodAsync(node, 1000);

        var reply = await node.GetAsync("/rate-limit/late");

        Assert.Equal((200, "degraded", "-"), (reply.Status, reply.String("source"), reply.String("receipt")));
        // Nothing was taken, so there is nothing to give back.
        Assert.Equal(0, (await node.PostAsync("/refund", """{"key":"late","receipt":"-"}""")).Number("refunded"));
        var reserved = await node.PostAsync("/reserve", """{"key":"late","cost":5}""");
        Assert.Equal(0, (await node.PostAsync("/commit", $$"""{"reservation":"{{reserved.String("reservation")}}","actual":1}""")).Number("refunded"));
    }

    [Fact]
    public async Task Room_ComesBackWhenCountersHaveIdled()
    {
        await using var node = await RunningNode.StartAsync(("MAX_COUNTERS", "1000"));
        await FloodAsync(node, 1000);
        Assert.Equal(503, (await node.GetAsync("/rate-limit/late")).Status);

        node.Time.Advance(TimeSpan.FromSeconds(66));

        Assert.Equal(200, (await node.GetAsync("/rate-limit/late")).Status);
        Assert.InRange((await node.GetAsync("/api/counters")).Number("total"), 1, 500);
    }

    private static async Task<List<int>> FloodAsync(RunningNode node, int keys)
    {
        var statuses = new List<int>();
        for (var from = 0; from < keys; from += 500)
        {
            var reply = await node.PostAsync("/check", JsonSerializer.Serialize(new { checks = Enumerable.Range(from, 500).Select(i => new { key = $"flood-{i}" }) }));
            statuses.AddRange(reply.Json.GetProperty("results").EnumerateArray().Select(r => r.GetProperty("status").GetInt32()));
        }
        return statuses;
    }
}
