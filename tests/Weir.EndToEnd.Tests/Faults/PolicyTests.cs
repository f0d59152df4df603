using Weir.EndToEnd.Tests.Fleets;
using Weir.TestKit.Redis;

namespace Weir.EndToEnd.Tests.Faults;

/// <summary>What three node processes answer while Redis is away, by each failure policy, and what it costs afterwards.</summary>
public sealed class PolicyTests
{
    private const string Rules = """
        domain: default
        descriptors:
          - { key: key, value: "closed-*", rate_limit: { name: closed, limit: 20, window: 300d } }
          - { key: key, value: "open-*", rate_limit: { name: open, limit: 20, window: 300d, failure: open } }
          - { key: key, value: "local-*", rate_limit: { name: local, limit: 300, window: 300d, failure: local } }
        """;

    // No longer than needed, and not so short that a busy machine is taken for a fault.
    private static readonly string[] Steady = ["--decision-timeout-ms", "500", "--node-ttl-ms", "1500"];

    [Fact]
    public async Task EachPolicy_AnswersAsItPromises()
    {
        await using var fleet = await Fleet.StartAsync(Rules, Steady);
        await Task.WhenAll(fleet.Routed.Select(static n => Eventually.IsTrueAsync(
            async () => await n.MetricAsync("ratelimiter_nodes") == 3, "each node knows how many they are", Fleet.Patience)));
        foreach (var cost in new[] { 29, 1 })
        {
            foreach (var node in fleet.Routed)
                Assert.Equal("exact", Source(await node.GetAsync($"/rate-limit/local-1?cost={cost}")));
        }

        fleet.Server.Pause();
        foreach (var node in fleet.Routed)
            await Eventually.IsTrueAsync(() => HasNoticedAsync(node), $"{node} has noticed", Fleet.Patience);
        foreach (var node in fleet.Routed)
        {
            var refused = await node.GetAsync("/rate-limit/closed-1");
            Assert.Equal((503, "degraded", "1"), (refused.Status, Source(refused), refused.Headers["Retry-After"]));
            Assert.Equal(50, await AllowedAsync(node, "open-1", 50));
            // A third of what was left when the node last took one: 212, 211 or 210.
            Assert.Equal(70, await AllowedAsync(node, "local-1", 100));
            Assert.Equal(200, (await node.GetAsync("/health")).Status);
            await Eventually.IsTrueAsync(async () => await node.NotReadyAsync() is { } why && why.Contains("Redis at "), "it says that it is not ready, and why", Fleet.Patience);
        }
        fleet.Server.Resume();
        foreach (var node in fleet.Routed)
            await node.IsReadyAsync();

        // What was admitted meanwhile is charged now, and nothing more.
        await Eventually.IsTrueAsync(async () => await fleet[0].RemainingAsync("local-1") == 0, "debts are paid", Fleet.Patience);
        Assert.Equal(0, await AllowedAsync(fleet[1], "local-1", 5));
        Assert.Equal(20, await fleet[2].RemainingAsync("closed-1"));
    }

    [Fact]
    public async Task NodeThatStartsWhileRedisIsAway_DecidesNothing_AndSpentLimitsStaySpent()
    {
        await using var fleet = await Fleet.StartAsync(Rules, Steady);
        for (var i = 0; i < 30; i++)
            await fleet[i % 3].GetAsync("/rate-limit/closed-1");
        foreach (var node in fleet.Routed)
            Assert.Equal(0, await node.RemainingAsync("closed-1"));

        await fleet.Server.KillAsync();
        fleet[2].Process.End();
        var successor = await fleet.LaunchAsync(fleet[2].Id);
        fleet.Unroute(fleet[2]);
        fleet.Route(successor);
        Assert.Contains("Nothing listens there", await successor.NotReadyAsync());
        var early = await successor.GetAsync("/rate-limit/closed-1");
        Assert.Equal((503, "degraded"), (early.Status, Source(early)));
        await fleet.Server.StartAsync();
        foreach (var node in fleet.Routed)
            await node.IsReadyAsync();

        foreach (var node in fleet.Routed)
            Assert.Equal(0, await AllowedAsync(node, "closed-1", 10));
        await fleet.MeetAsync();
    }

    // Whoever asks lets the node find out.
    private static async Task<bool> HasNoticedAsync(FleetNode node)
    {
        await node.GetAsync("/rate-limit/closed-2?cost=0");
        return await node.MetricAsync("ratelimiter_engine_state", "degraded") == 1;
    }

    private static async Task<int> AllowedAsync(FleetNode node, string key, int requests)
    {
        var allowed = 0;
        for (var i = 0; i < requests; i++)
            allowed += (await node.GetAsync($"/rate-limit/{key}")).Status == 200 ? 1 : 0;
        return allowed;
    }

    private static string? Source(Reply reply) => reply.Json.GetProperty("source").GetString();
}
