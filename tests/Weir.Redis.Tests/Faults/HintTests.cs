using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Faults;

/// <summary>What nodes remember repairs counters that a server has lost, whatever the order in which they tell it.</summary>
[Collection(nameof(OneByOne))]
public sealed class HintTests
{
    private const long Second = 1_000_000;

    public static TheoryData<AlgorithmKind, bool> Cases => new(
        new[] { AlgorithmKind.SlidingWindow, AlgorithmKind.TokenBucket, AlgorithmKind.FixedWindow, AlgorithmKind.SlidingCounter }
            .SelectMany(static a => new[] { (a, false), (a, true) }));

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task RepairedCounter_CountsAtLeastWhatTheLostOneDid(AlgorithmKind algorithm, bool newestFirst)
    {
        var time = new TestTime();
        var charge = Counters.Charge(Counters.Rule(7, TimeSpan.FromSeconds(20), algorithm), "key");
        await using var server = await Servers.StartAsync();
        await using var judge = await LoseAndRepairAsync(server, time, charge, newestFirst);
        var lost = time.NowMicros;
        await using var witness = await Servers.StartAsync();
        await using var lossless = await time.StartAsync(witness.Port);
        await PlayAsync(time, charge, lossless, lossless);

        var differs = false;
        for (time.NowMicros = lost; time.NowMicros < lost + (45 * Second); time.NowMicros += Second / 4)
        {
            var (repaired, expected) = (await Counters.UsedAsync(judge, charge), await Counters.UsedAsync(lossless, charge));
            Assert.True(repaired >= expected, $"promise broken: {repaired} instead of {expected} count {(time.NowMicros - lost) / Second} s after the loss");
            Assert.InRange(repaired, 0, 7);
            differs |= repaired != expected;
        }
        Assert.Equal(0, await Counters.UsedAsync(judge, charge));
        // What was taken at instants that nobody remembers comes back later than it would have.
        Assert.False(differs && algorithm is AlgorithmKind.FixedWindow or AlgorithmKind.SlidingCounter);
    }

    public static TheoryData<AlgorithmKind> Counting => [AlgorithmKind.SlidingWindow, AlgorithmKind.TokenBucket, AlgorithmKind.FixedWindow, AlgorithmKind.SlidingCounter];

    [Theory]
    [MemberData(nameof(Counting))]
    public async Task RepairedCounter_CountsWhatACommitCharged(AlgorithmKind algorithm)
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient, 1);
        var engine = fleet[0].Engine;
        var (more, less) = (Counters.Charge(Counters.Rule(100, Counters.Long, algorithm), "more", 10), Counters.Charge(Counters.Rule(100, Counters.Long, algorithm), "less", 10));
        // What was reserved is committed under a rule that was read from a text: an equal one.
        var again = Counters.Rule(100, Counters.Long, algorithm);
        var (first, second) = (await engine.DecideAsync(more), await engine.DecideAsync(less));
        Assert.Equal(-25, await engine.SettleAsync(more with { Rule = again }, first.Stamp, 35));
        Assert.Equal(4, await engine.SettleAsync(less with { Rule = again }, second.Stamp, 6));

        var birth = engine.Shards[0].Birth;
        server.Call("FLUSHALL");
        await Eventually.IsTrueAsync(() => engine.Shards[0].Birth != birth && engine.Status.Health == EngineHealth.Healthy, "the node has told what it knows");

        Assert.Equal(35, await Counters.UsedAsync(fleet[0], more));
        // Nobody saw less than what was reserved.
        Assert.Equal(10, await Counters.UsedAsync(fleet[0], less));
    }

    // Between what was reserved and its commit a window ends, and another node commits.
    [Theory]
    [MemberData(nameof(Counting))]
    public async Task RepairedCounter_CountsWhatACommitCharged_InTheWindowOfTheCommit(AlgorithmKind algorithm)
    {
        var time = new TestTime();
        await using var server = await Servers.StartAsync();
        await using var node = await time.StartAsync(server.Port);
        await using var other = await time.StartAsync(server.Port);
        var charge = Counters.Charge(Counters.Rule(100, TimeSpan.FromSeconds(10), algorithm), "key", 10);
        var own = Counters.Charge(charge.Rule, "own", 10);
        var (first, second) = (await node.Engine.DecideAsync(charge), await node.Engine.DecideAsync(own));
        time.NowMicros += 6 * Second;
        Assert.Equal(-35, await other.Engine.SettleAsync(charge, first.Stamp, 45));
        Assert.Equal(-35, await node.Engine.SettleAsync(own, second.Stamp, 45));
        var used = (await Counters.UsedAsync(node, charge), await Counters.UsedAsync(node, own));

        var (birth, birthOfOther) = (node.Engine.Shards[0].Birth, other.Engine.Shards[0].Birth);
        server.Call("FLUSHALL");
        await Eventually.IsTrueAsync(
            () => node.Engine.Shards[0].Birth != birth && other.Engine.Shards[0].Birth != birthOfOther, "the nodes have told what they know");
        time.NowMicros += 2 * Second;
        await using var judge = await time.StartAsync(server.Port);

        // What is spread over time has gone on to come back, and what stood alone has not been forgotten.
        Assert.InRange(await Counters.UsedAsync(judge, charge), 35 - (algorithm == AlgorithmKind.TokenBucket ? 20 : 0), used.Item1);
        Assert.InRange(await Counters.UsedAsync(judge, own), 35 - (algorithm == AlgorithmKind.TokenBucket ? 20 : 0), used.Item2);
    }

    private static async Task<RedisNode> LoseAndRepairAsync(RedisServer server, TestTime time, Charge charge, bool newestFirst)
    {
        await using var proxyOfOlder = new FaultyProxy(server.Port);
        await using var proxyOfNewer = new FaultyProxy(server.Port);
        await using var older = await time.StartAsync(proxyOfOlder.Port);
        await using var newer = await time.StartAsync(proxyOfNewer.Port);
        await PlayAsync(time, charge, older, newer);
        var (first, second) = newestFirst ? (newer, older) : (older, newer);
        var proxyOfSecond = newestFirst ? proxyOfOlder : proxyOfNewer;

        proxyOfSecond.HoldRequests = true;
        var birth = second.Engine.Shards[0].Birth;
        server.Call("FLUSHALL");
        await Eventually.IsTrueAsync(() => first.Engine.Shards[0].Birth != birth, "the first node has told what it knows");
        proxyOfSecond.HoldRequests = false;
        await Eventually.IsTrueAsync(() => second.Engine.Shards[0].Birth != birth, "the second node has told what it knows");
        time.NowMicros += 2 * Second;
        return await time.StartAsync(server.Port);
    }

    // The one node sees five permits taken. When three of them have come back, the other one fills the counter to the limit.
    private static async Task PlayAsync(TestTime time, Charge charge, RedisNode older, RedisNode newer)
    {
        time.NowMicros = TestTime.Start;
        await TakeAsync(older, charge, 3);
        time.NowMicros += 19 * Second;
        await TakeAsync(older, charge, 2);
        time.NowMicros += 1 * Second;
        while ((await newer.Engine.DecideAsync(charge)).IsAllowed)
            continue;
    }

    private static async Task TakeAsync(RedisNode node, Charge charge, int permits)
    {
        for (var i = 0; i < permits; i++)
            Assert.True((await node.Engine.DecideAsync(charge)).IsAllowed);
    }
}
