using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;
using Weir.TestKit;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Batching;

/// <summary>Requests that wait together for one counter: each gets what it would have got in turn.</summary>
[Collection(nameof(OneByOne))]
public sealed class CombiningTests
{
    private const int Waiting = 100;

    public static TheoryData<AlgorithmKind> Algorithms => [.. Enum.GetValues<AlgorithmKind>()];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public async Task Grants_GoToThoseThatCameFirst(AlgorithmKind algorithm)
    {
        var charge = Counters.Charge(Counters.Rule(40, Counters.Long, algorithm), "key");

        var (decisions, scripts) = await AskTogetherAsync([.. Enumerable.Repeat(charge, Waiting)]);

        Assert.All(decisions.Take(40), static d => Assert.True(d.IsAllowed));
        Assert.All(decisions.Skip(40), static d => Assert.Equal(Outcome.Refused, d.Outcome));
        Assert.Equal(Enumerable.Range(0, 40).Select(static i => 39L - i), decisions.Take(40).Select(static d => d.Remaining));
        AssertTogether(scripts);
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public async Task MixedCosts_AreDecidedInTurn(AlgorithmKind algorithm)
    {
        var random = new Random(7);
        var rule = Counters.Rule(60, Counters.Long, algorithm);
        var charges = Enumerable.Range(0, Waiting).Select(i => Counters.Charge(rule, random.Next(2), random.Next(4))).ToArray();

        var (decisions, scripts) = await AskTogetherAsync(charges);

        var models = new Dictionary<CounterId, CounterModel>();
        for (var i = 0; i < charges.Length; i++)
        {
            if (!models.TryGetValue(charges[i].Id, out var model))
                models[charges[i].Id] = model = CounterModel.Create(rule);
            var expected = model.Decide(0, charges[i].Cost);
            Assert.Equal((expected.Outcome, expected.Remaining), (decisions[i].Outcome, decisions[i].Remaining));
            if (expected.IsAllowed && charges[i].Cost > 0)
                model.Take(0, charges[i].Cost);
        }
        AssertTogether(scripts);
    }

    // The first two may go at once, each alone, where the pool has nothing else to do; the others together.
    private static void AssertTogether(long scripts) => Assert.InRange(scripts, 1, 3);

    // While replies are held, requests wait in the order in which they are made.
    private static async Task<(Decision[] Decisions, long Scripts)> AskTogetherAsync(Charge[] charges)
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var fleet = await Fleet.StartAsync($"redis://127.0.0.1:{proxy.Port}", RedisNode.Patient, 1);
        var before = fleet[0].Engine.Counters[EngineCount.Batches];
        proxy.HoldReplies = true;
        var asked = Array.ConvertAll(charges, c => fleet[0].Engine.DecideAsync(c).AsTask());
        proxy.HoldReplies = false;
        return (await Task.WhenAll(asked), fleet[0].Engine.Counters[EngineCount.Batches] - before);
    }
}
