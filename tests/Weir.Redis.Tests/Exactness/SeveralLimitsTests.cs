using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;

namespace Weir.Redis.Tests.Exactness;

/// <summary>Requests with several limits, under contention from three nodes: all or none.</summary>
[Collection(nameof(OneByOne))]
public sealed class SeveralLimitsTests
{
    private const int Children = 7;
    private const int Callers = 96;
    private const int RequestsPerCaller = 40;

    public static TheoryData<AlgorithmKind> Algorithms => [.. Enum.GetValues<AlgorithmKind>()];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public async Task ParentIsCharged_WhatItsChildrenAre(AlgorithmKind algorithm)
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient);
        var parent = Counters.Charge(Counters.Rule(1_000, Counters.Long), "parent");
        // Some children are tight and some are not, so that both parent and children refuse.
        var children = Enumerable.Range(0, Children).Select(c => Counters.Charge(Counters.Rule(50 + (60 * c), Counters.Long, algorithm), c)).ToArray();
        var allowed = new int[Children];
        var answers = await Task.WhenAll(Enumerable.Range(0, Callers).Select(c => Task.Run(() => AskAsync(fleet[c % 3], parent, children, allowed, c))));

        var total = 0L;
        for (var c = 0; c < Children; c++)
        {
            Assert.Equal(Volatile.Read(ref allowed[c]), await Counters.UsedAsync(fleet[0], children[c]));
            Assert.InRange(allowed[c], 0, children[c].Rule.Permits);
            total += allowed[c];
        }
        Assert.Equal(total, await Counters.UsedAsync(fleet[1], parent));
        // There were enough requests for every limit.
        Assert.Equal(1_000, total);
        Assert.Equal(Callers * RequestsPerCaller, answers.Sum());
    }

    // Either order of the two, so that orders cross between callers.
    private static async Task<int> AskAsync(RedisNode node, Charge parent, Charge[] children, int[] allowed, int caller)
    {
        var random = new Random(caller);
        var decisions = new Decision[2];
        for (var i = 0; i < RequestsPerCaller; i++)
        {
            var child = random.Next(Children);
            Charge[] charges = random.Next(2) == 0 ? [parent, children[child]] : [children[child], parent];
            var decision = await node.Engine.DecideAsync(charges, decisions);
            Assert.Equal(DecisionSource.Exact, decision.Source);
            Assert.Equal(decision.IsAllowed, decisions[0].IsAllowed && decisions[1].IsAllowed);
            if (decision.IsAllowed)
                Interlocked.Increment(ref allowed[child]);
        }
        return RequestsPerCaller;
    }
}
