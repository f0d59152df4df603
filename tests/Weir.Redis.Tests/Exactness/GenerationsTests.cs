using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Exactness;

/// <summary>Counters that are moved from one generation of hashes into the next, in real time and under load.</summary>
[Collection(nameof(OneByOne))]
public sealed class GenerationsTests
{
    private const long Generation = 10_000_000;
    private const int Limit = 1_500;

    [Fact]
    public async Task Counter_CountsOnAcrossTheBoundary()
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient);
        // As long as a generation, so that all that was taken before the boundary counts after it.
        var charge = Counters.Charge(Counters.Rule(Limit, TimeSpan.FromSeconds(10)), "key");
        var untouched = Counters.Charge(charge.Rule, "untouched");
        await AdvanceToAsync(server, fleet, Generation - 200_000);
        Assert.True((await fleet[0].Engine.DecideAsync(untouched with { Cost = Limit - 1 })).IsAllowed);
        var load = Load.Start(96, (caller, n) => (fleet[(caller + n) % 3], charge), TimeSpan.FromMilliseconds(20));
        await load.MoreAsync(2 * Limit);
        var answers = await load.StopAsync();

        var stamps = answers.Where(static a => a.Decision.IsAllowed).Select(static a => a.Decision.Stamp).ToList();
        Assert.Equal(2, stamps.Select(static s => s / Generation).Distinct().Count());
        Assert.Equal(Limit, stamps.Count);
        fleet.HasNotDegraded();
        Assert.Equal(Limit - 1, await Counters.UsedAsync(fleet[1], untouched));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Nodes_ThatThinkOfAnotherGeneration_AreSetRight(int off)
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient);
        var charge = Counters.Charge(Counters.Rule(10, TimeSpan.FromSeconds(10)), "key");
        await AdvanceToAsync(server, fleet, 1_000_000);
        Assert.True((await fleet[0].Engine.DecideAsync(charge with { Cost = 10 })).IsAllowed);

        // The first node learns of it with its answer, and the others are left behind by so many generations.
        await ForwardAsync(server, fleet, (off * Generation) - 2_000_000);
        var decisions = await Task.WhenAll(fleet.Nodes.Select(n => n.Engine.DecideAsync(charge).AsTask()));

        // After eight seconds all of it counts, and after eighteen nothing.
        Assert.All(decisions, d => Assert.Equal((off == 1 ? Outcome.Refused : Outcome.Allowed, DecisionSource.Exact), (d.Outcome, d.Source)));
    }

    // Lets the time of the only shard go on from a place in its generation.
    private static async Task AdvanceToAsync(RedisServer server, Fleet fleet, long place)
    {
        var now = await NowAsync(fleet[0]);
        await ForwardAsync(server, fleet, (2 * Generation) - (now % Generation) + place);
    }

    private static async Task<long> NowAsync(RedisNode node) => (await node.Engine.DecideAsync(Counters.Charge(Counters.Rule(1_000_000, Counters.Long), "clock"))).Stamp;

    private static async Task ForwardAsync(RedisServer server, Fleet fleet, long micros)
    {
        ServerTime.Forward(server, micros);
        Assert.NotEqual(0, await NowAsync(fleet[0]));
    }
}
