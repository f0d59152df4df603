using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Exactness;

/// <summary>One key, three nodes, sixty-four callers each: what all of them together get is exactly the limit.</summary>
[Collection(nameof(OneByOne))]
public sealed class OneKeyTests
{
    private const int CallersPerNode = 64;
    private const int RequestsPerCaller = 20;

    public static TheoryData<AlgorithmKind> Algorithms => [.. Enum.GetValues<AlgorithmKind>()];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public async Task Admitted_IsExactlyTheLimit(AlgorithmKind algorithm)
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient);
        var rule = Counters.Rule(1_000, Counters.Long, algorithm);
        for (var round = 0; round < 3; round++)
        {
            var charge = Counters.Charge(rule, round);
            var decisions = await Task.WhenAll(Enumerable.Range(0, fleet.Nodes.Count * CallersPerNode).Select(
                c => Task.Run(() => AskAsync(fleet[c % fleet.Nodes.Count], charge))));
            Assert.Equal(1_000, decisions.Sum(static d => d.Count(static x => x.IsAllowed)));
            Assert.DoesNotContain(decisions.SelectMany(static d => d), static d => d.Source == DecisionSource.Degraded);
            Assert.Equal(1_000, await Counters.UsedAsync(fleet[0], charge));
        }
    }

    private static async Task<List<Decision>> AskAsync(RedisNode node, Charge charge)
    {
        var decisions = new List<Decision>();
        for (var i = 0; i < RequestsPerCaller; i++)
            decisions.Add(await node.Engine.DecideAsync(charge));
        return decisions;
    }
}
