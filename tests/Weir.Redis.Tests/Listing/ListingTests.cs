using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Listing;

/// <summary>Every node lists the counters of all.</summary>
[Collection(nameof(OneByOne))]
public sealed class ListingTests
{
    public static TheoryData<AlgorithmKind> Algorithms => [.. Enum.GetValues<AlgorithmKind>()];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public async Task EveryNode_ListsTheCountersOfAll_PageByPage(AlgorithmKind algorithm)
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient);
        var rule = Counters.Rule(2, Counters.Long, algorithm);
        for (var key = 0; key < 300; key++)
        {
            for (var i = 0; i <= key % 2; i++)
                Assert.True((await fleet[key % 3].Engine.DecideAsync(Counters.Charge(rule, $"key {key}"))).IsAllowed);
        }
        // Refused and looked at: these make no counters.
        await fleet[0].Engine.DecideAsync(Counters.Charge(rule, "too many", 3));
        await fleet[0].Engine.DecideAsync(Counters.Charge(rule, "looked at", 0));
        await Eventually.IsTrueAsync(async () => (await ListAsync(fleet[1], 1_000)).Count == 300, "the names of all have arrived");

        foreach (var node in fleet.Nodes)
        {
            var all = await ListAsync(node, pageSize: 40);
            Assert.Equal(Enumerable.Range(0, 300).Select(static k => $"key {k}={1 + (k % 2)}").Order(), all.Select(static c => $"{c.Label}={c.Used}").Order());
            Assert.All(all, static c => Assert.Equal((2 - c.Used, Outcome.Allowed), (c.Look.Remaining, c.Look.Outcome)));
            Assert.All(all, static c => Assert.Equal(c.Used == 2 ? Outcome.Refused : Outcome.Allowed, c.Next.Outcome));
            Assert.Equal(150, (await ListAsync(node, pageSize: 1_000, blockedOnly: true)).Count);
        }
    }

    [Fact]
    public async Task ResetCounter_IsListedNoMore()
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient, 2);
        var charge = Counters.Charge(Counters.Rule(2, Counters.Long), "key");
        await fleet[0].Engine.DecideAsync(charge);
        var listed = Assert.Single(await ListAsync(fleet[0], 10));

        await fleet[1].Engine.ResetAsync(listed.Id);

        Assert.Empty(await ListAsync(fleet[0], 10));
    }

    [Fact]
    public async Task FloodOfNewCounters_IsCounted_AndListedAsItIsAskedAgain()
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient, 1);
        var rule = Counters.Rule(1_000_000, Counters.Long, AlgorithmKind.FixedWindow);
        var charges = Enumerable.Range(0, 1_500).Select(key => Counters.Charge(rule, key)).ToArray();
        foreach (var chunk in charges.Chunk(500))
            await Task.WhenAll(chunk.Select(c => fleet[0].Engine.DecideAsync(c).AsTask()));

        await Eventually.IsTrueAsync(() => fleet[0].Engine.ActiveCounters == charges.Length, "all are counted");
        await Eventually.IsTrueAsync(
            async () =>
            {
                foreach (var chunk in charges.Chunk(500))
                    await Task.WhenAll(chunk.Select(c => fleet[0].Engine.DecideAsync(c).AsTask()));
                return (await ListAsync(fleet[0], 1_000)).Count == charges.Length;
            },
            "all are listed");
    }

    [Fact]
    public async Task Listing_WithoutRedis_SaysSo()
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.AsInProduction, 1);
        await server.KillAsync();
        await Eventually.IsTrueAsync(() => fleet[0].Engine.Status.Health == EngineHealth.Degraded, "the node has noticed");

        await Assert.ThrowsAsync<EngineUnavailableException>(async () => await ListAsync(fleet[0], 10));
        await Assert.ThrowsAsync<EngineUnavailableException>(async () => await fleet[0].Engine.ResetAsync(default));
    }

    private static async Task<List<CounterView>> ListAsync(RedisNode node, int pageSize, bool blockedOnly = false)
    {
        var all = new Dictionary<CounterId, CounterView>();
        long cursor = 0;
        do
        {
            var page = await node.Engine.ListAsync(cursor, pageSize, blockedOnly);
            foreach (var counter in page.Counters)
                all[counter.Id] = counter;
            cursor = page.Next;
        }
        while (cursor != 0);
        return [.. all.Values];
    }
}
