using System.Text.Json;
using Weir.EndToEnd.Tests.Fleets;

namespace Weir.EndToEnd.Tests.Checklist;

/// <summary>What a limiter service must do, line by line, over three node processes: decisions.</summary>
[Collection(nameof(ChecklistNodes))]
public sealed class DecisionTests(ChecklistFleet shared)
{
    private readonly Fleet _fleet = shared.Fleet;

    [Fact]
    public async Task N1_RateLimit_TakesAPermitOfTheKey_OnWhicheverNode()
    {
        for (var i = 0; i < ChecklistFleet.Limit; i++)
        {
            var allowed = await _fleet[i % 3].GetAsync("/rate-limit/n1");
            Assert.Equal((200, "10", $"{ChecklistFleet.Limit - 1 - i}"), (allowed.Status, allowed.Headers["X-RateLimit-Limit"], allowed.Headers["X-RateLimit-Remaining"]));
            Assert.InRange(long.Parse(allowed.Headers["X-RateLimit-Reset"]), 1, 26_000_000);
        }
        foreach (var node in _fleet.Routed)
        {
            var refused = await node.GetAsync("/rate-limit/n1");
            Assert.Equal((429, "10", "0"), (refused.Status, refused.Headers["X-RateLimit-Limit"], refused.Headers["X-RateLimit-Remaining"]));
            Assert.InRange(long.Parse(refused.Headers["Retry-After"]), 1, long.Parse(refused.Headers["X-RateLimit-Reset"]));
        }
    }

    [Fact]
    public async Task N2_Check_TakesAnyKeyCostAndLimit_OneOrManyAtOnce()
    {
        Assert.Equal(7, (await _fleet[0].CheckAsync("""{"key":"n2","cost":3}""")).Json.GetProperty("remaining").GetInt32());
        Assert.Equal(429, (await _fleet[1].CheckAsync("""{"key":"n2","cost":8}""")).Status);
        Assert.Equal(0, (await _fleet[2].CheckAsync("""{"key":"n2","cost":7}""")).Json.GetProperty("remaining").GetInt32());
        // A limit of the call's own has a counter of its own.
        Assert.Equal(1, (await _fleet[0].CheckAsync("""{"key":"n2","limit":2,"window_ms":3600000}""")).Json.GetProperty("remaining").GetInt32());
        Assert.Equal(0, (await _fleet[1].CheckAsync("""{"key":"n2","limit":2,"window_ms":3600000}""")).Json.GetProperty("remaining").GetInt32());

        var many = await _fleet[2].CheckAsync(
            """{"checks":[{"key":"n2"},{"key":"n2","limit":2,"window_ms":3600000},{"key":"n2-other","cost":10},{"key":"n2-other"}]}""");

        Assert.Equal(200, many.Status);
        Assert.Equal([429, 429, 200, 429], many.Json.GetProperty("results").EnumerateArray().Select(static r => r.GetProperty("status").GetInt32()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task N3_TwentyAtOnceAgainstALimitOfTen_AreTenAllowed(int nodes)
    {
        for (var round = 0; round < 5; round++)
        {
            var key = $"n3-{nodes}-{round}";
            var statuses = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i => (await _fleet[i % nodes].GetAsync($"/rate-limit/{key}")).Status));
            Assert.Equal(10, statuses.Count(static s => s == 200));
            Assert.Equal(10, statuses.Count(static s => s == 429));
        }
    }

    // No node owns a key: whoever dies takes nothing along, and what is there ends by itself.
    [Fact]
    public async Task N3_StateLivesInRedis_AndOutlivesEveryNode()
    {
        var extra = await _fleet.StartNodeAsync(null, "--node-ttl-ms", "1000");
        for (var i = 0; i < 4; i++)
            Assert.Equal(200, (await extra.GetAsync("/rate-limit/n3-state")).Status);
        extra.Process.End();
        await extra.Process.ExitAsync();

        Assert.Equal(6, await _fleet[0].RemainingAsync("n3-state"));
        foreach (var key in _fleet.Server.Call("KEYS", "*").Items.Select(static k => k.Text))
            Assert.True(long.Parse(_fleet.Server.Call("PTTL", key).Text) is > 0 or -2, $"{key} has no end");
    }

    [Fact]
    public async Task N5_Counters_AreThoseOfAllNodes()
    {
        await _fleet[0].GetAsync("/rate-limit/n5?cost=3");
        await _fleet[1].GetAsync("/rate-limit/n5");

        await TestKit.Redis.Eventually.IsTrueAsync(
            async () =>
            {
                var counter = (await ListAsync(_fleet[2], "/api/counters?limit=10000", "counters")).Single(static c => c.GetProperty("key").GetString() == "n5");
                return (Number(counter, "count"), Number(counter, "limit"), Number(counter, "remaining"), Number(counter, "window_ms")) == (4, 10, 6, 25_920_000_000);
            },
            "the third node lists what the others counted",
            Fleet.Patience);
    }

    [Fact]
    public async Task N7_Blocks_AreThoseOfAllNodes_AndSayUntilWhenAndByWhichRule()
    {
        await _fleet[0].GetAsync("/rate-limit/n7?cost=10");
        await _fleet[0].GetAsync("/rate-limit/n7-not?cost=9");

        await TestKit.Redis.Eventually.IsTrueAsync(
            async () =>
            {
                var blocks = await ListAsync(_fleet[1], "/api/blocks?limit=10000", "blocks");
                var block = blocks.Single(static b => b.GetProperty("key").GetString() == "n7");
                Assert.Equal("default", block.GetProperty("rule").GetString());
                // In three hundred days, by this machine's clock, which is Redis' as well.
                Assert.InRange(block.GetProperty("until").GetDateTime(), TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(299), TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(301));
                return blocks.All(static b => b.GetProperty("key").GetString() != "n7-not");
            },
            "another node lists what is refused",
            Fleet.Patience);
    }

    [Fact]
    public async Task N8_Delete_ResetsTheCounterOnEveryNode()
    {
        await _fleet[0].GetAsync("/rate-limit/n8?cost=10");
        foreach (var node in _fleet.Routed)
            Assert.Equal(429, (await node.GetAsync("/rate-limit/n8")).Status);

        Assert.Equal(200, (await _fleet[1].SendAsync(HttpMethod.Delete, "/api/counters/n8")).Status);

        // Also those who remembered that they refuse have heard of it within a quarter of a second.
        for (var i = 0; i < 3; i++)
            await TestKit.Redis.Eventually.IsTrueAsync(async () => (await _fleet[i].GetAsync("/rate-limit/n8?cost=2")).Status == 200, "it is allowed again", Fleet.Patience);
        Assert.Equal(4, await _fleet[0].RemainingAsync("n8"));
        Assert.Equal(404, (await _fleet[2].SendAsync(HttpMethod.Delete, "/api/counters/n8-nobody")).Status);
    }

    private static async Task<List<JsonElement>> ListAsync(FleetNode node, string path, string field) =>
        [.. (await node.GetAsync(path)).Json.GetProperty(field).EnumerateArray()];

    private static long Number(JsonElement element, string field) => element.GetProperty(field).GetInt64();
}
