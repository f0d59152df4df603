using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;

namespace Weir.Redis.Tests.Exactness;

/// <summary>Nodes come and go under load, and the limit is the limit.</summary>
[Collection(nameof(OneByOne))]
public sealed class ChangingFleetTests
{
    private const int Callers = 192;
    private const int Changes = 6;

    public static TheoryData<AlgorithmKind> Algorithms => [.. Enum.GetValues<AlgorithmKind>()];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public async Task Admitted_IsExactlyTheLimit_WhileNodesComeAndGo(AlgorithmKind algorithm)
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient);
        // So many that the limit is reached while nodes change, and not before.
        var charge = Counters.Charge(Counters.Rule(6_000, Counters.Long, algorithm), "key");
        var nodes = fleet.Nodes.ToArray();
        var load = Load.Start(Callers, (caller, n) => (Volatile.Read(ref nodes)[(caller + n) % 3], charge));
        for (var change = 0; change < Changes; change++)
        {
            await load.MoreAsync(800);
            var leaving = nodes[change % 3];
            var arriving = await fleet.AddAsync();
            Volatile.Write(ref nodes, [.. nodes.Select(n => n == leaving ? arriving : n)]);
            // Requests are under way in the node that stops; it answers them.
            await fleet.StopAsync(leaving);
        }
        await load.MoreAsync(3_000);
        var answers = await load.StopAsync();

        Assert.True(answers.Count > 6_000 + Callers, $"{answers.Count} requests are too few");
        Assert.Equal(6_000, answers.Count(static a => a.Decision.IsAllowed));
        Assert.Equal(6_000, await Counters.UsedAsync(fleet[0], charge));
    }
}
