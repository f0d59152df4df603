using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;

namespace Weir.Redis.Tests.Exactness;

/// <summary>Three nodes under load, in real time: every answer is what the reference models say, in the server's order.</summary>
[Collection(nameof(OneByOne))]
public sealed class ReplayTests
{
    private const int Callers = 96;
    private const int RequestsPerCaller = 40;
    private const int Keys = 6;

    public static TheoryData<AlgorithmKind> Algorithms => [.. Enum.GetValues<AlgorithmKind>()];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public async Task EveryAnswer_IsTheModels_InTheServersOrder(AlgorithmKind algorithm)
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient);
        var replay = new Replay();
        foreach (var node in fleet.Nodes)
        {
            node.Engine.Shards[0].Witness = replay.NewWitness();
            // Refusals from memory are not the server's.
            node.Engine.Shards[0].Memory.Refuses = false;
        }
        // Limits that do not divide their windows, which are so short that several pass.
        var rules = new[] { Rule(algorithm, "a", 7), Rule(algorithm, "b", 13), Rule(AlgorithmKind.SlidingWindow, "c", 60) };
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(c => Task.Run(() => AskAsync(fleet[c % 3], rules, c))));

        Assert.True(replay.Count >= Callers * RequestsPerCaller);
        Assert.NotEqual(0, replay.Combined);
        replay.Check();
    }

    private static Rule Rule(AlgorithmKind algorithm, string name, int limit) => Weir.Rule.Create(
        new RuleOptions { Name = name, Algorithm = algorithm, Permits = limit, Window = TimeSpan.FromMilliseconds(100) });

    private static async Task AskAsync(RedisNode node, Rule[] rules, int caller)
    {
        var random = new Random(caller);
        var decisions = new Decision[3];
        for (var i = 0; i < RequestsPerCaller; i++)
        {
            var charge = Pick(random, rules);
            switch (random.Next(6))
            {
                case 0:
                    Charge[] charges = [charge, Pick(random, rules), Pick(random, rules)];
                    await node.Engine.DecideAsync(charges, decisions);
                    break;
                case 1:
                    var decision = await node.Engine.DecideAsync(charge);
                    if (decision.IsAllowed && charge.Cost > 0)
                        await node.Engine.SettleAsync(charge, decision.Stamp, random.Next(2) == 0 ? 0 : charge.Cost + 1);
                    break;
                default:
                    await node.Engine.DecideAsync(charge);
                    break;
            }
        }
    }

    // Mostly one permit of one counter, so that requests meet; sometimes none, and sometimes many.
    private static Charge Pick(Random random, Rule[] rules)
    {
        var rule = rules[random.Next(rules.Length)];
        var cost = random.Next(8) switch { 0 => 0, 1 => 2, 2 => random.Next(16), _ => 1 };
        return Counters.Charge(rule, random.Next(3) == 0 ? random.Next(Keys) : 0, cost);
    }
}
