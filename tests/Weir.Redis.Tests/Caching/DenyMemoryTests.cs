using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Caching;

/// <summary>A node refuses from memory what Redis would refuse, and nothing else.</summary>
[Collection(nameof(OneByOne))]
public sealed class DenyMemoryTests
{
    private const long Second = 1_000_000;
    private static readonly TimeSpan Heard = TimeSpan.FromMilliseconds(250);

    public static TheoryData<AlgorithmKind> Counting => [AlgorithmKind.SlidingWindow, AlgorithmKind.TokenBucket, AlgorithmKind.FixedWindow, AlgorithmKind.SlidingCounter];

    [Theory]
    [MemberData(nameof(Counting))]
    public async Task WhatMemoryRefuses_RedisWouldRefuse_UntilTheVeryInstant(AlgorithmKind algorithm)
    {
        await using var server = await Servers.StartAsync();
        var time = new TestTime();
        await using var node = await time.StartAsync(server.Port, refusesFromMemory: true);
        await using var asks = await time.StartAsync(server.Port);
        // Longer than anything is believed.
        var rule = Counters.Rule(10, TimeSpan.FromSeconds(60), algorithm);
        var random = new Random(1);
        var (remembered, reached) = (0, 0);
        for (var i = 0; i < 3_000; i++)
        {
            var charge = Counters.Charge(rule, random.Next(3), random.Next(4) == 0 ? random.Next(1, 8) : 1);
            var decision = await node.Engine.DecideAsync(charge);
            if (decision.Source == DecisionSource.DenyCache)
            {
                remembered++;
                // Redis is asked behind the node's back. If it allowed, this would take the permits, and the answer is wrong anyway.
                var truth = await asks.Engine.DecideAsync(charge);
                Assert.Equal((Outcome.Refused, truth.RetryAfterMicros, truth.ResetMicros), (decision.Outcome, decision.RetryAfterMicros, decision.ResetMicros));
            }
            if (decision.Outcome == Outcome.Refused && random.Next(3) == 0 && decision.RetryAfterMicros > 1)
            {
                // Refused from memory a microsecond before, and allowed at the instant.
                time.NowMicros += decision.RetryAfterMicros - 1;
                Assert.Equal(Outcome.Refused, (await node.Engine.DecideAsync(charge)).Outcome);
                time.NowMicros += 1;
                Assert.True((await node.Engine.DecideAsync(charge)).IsAllowed);
                reached++;
            }
            time.NowMicros += random.Next(2) * random.Next(6_000_000);
        }
        Assert.InRange(remembered, 100, 3_000);
        Assert.InRange(reached, 100, 3_000);
    }

    // Where a counter is remembered depends on its identity, and others have the same places.
    [Fact]
    public async Task CountersThatMeetInMemory_AreRefusedSideBySide()
    {
        await using var server = await Servers.StartAsync();
        await using var node = await RedisNode.StartAsync(
            Servers.UrlOf(server), new RedisEngineOptions { DecisionTimeout = RedisNode.Patient, RememberedCounters = 1_024 });
        var rule = Counters.Rule(5, Counters.Long);
        var meeting = Enumerable.Range(0, 10_000).Select(key => Counters.Charge(rule, key)).GroupBy(static c => c.Id.Low % 1_024).First(static g => g.Count() >= 4).Take(4).ToArray();
        foreach (var charge in meeting)
            await SpendAsync(node, charge);
        var before = node.Engine.Counters[EngineCount.Batches];

        for (var i = 0; i < 1_000; i++)
            Assert.Equal(DecisionSource.DenyCache, (await node.Engine.DecideAsync(meeting[i % meeting.Length])).Source);

        Assert.Equal(before, node.Engine.Counters[EngineCount.Batches]);
    }

    [Fact]
    public async Task FloodOfRefusedRequests_AsksRedisNothing()
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient, 1);
        var charge = Counters.Charge(Counters.Rule(5, Counters.Long), "key");
        await SpendAsync(fleet[0], charge);
        var (batches, hits) = (fleet[0].Engine.Counters[EngineCount.Batches], fleet[0].Engine.Counters[EngineCount.DenyCacheHits]);

        for (var i = 0; i < 10_000; i++)
            Assert.Equal(DecisionSource.DenyCache, (await fleet[0].Engine.DecideAsync(charge)).Source);

        Assert.Equal(batches, fleet[0].Engine.Counters[EngineCount.Batches]);
        Assert.Equal(hits + 10_000, fleet[0].Engine.Counters[EngineCount.DenyCacheHits]);
    }

    [Fact]
    public async Task RefusalOfMany_SaysNothingAboutFewer()
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient, 1);
        var charge = Counters.Charge(Counters.Rule(5, Counters.Long), "key");

        Assert.True((await fleet[0].Engine.DecideAsync(charge with { Cost = 3 })).IsAllowed);
        Assert.Equal(Outcome.Refused, (await fleet[0].Engine.DecideAsync(charge with { Cost = 3 })).Outcome);
        Assert.True((await fleet[0].Engine.DecideAsync(charge with { Cost = 2 })).IsAllowed);
    }

    [Fact]
    public async Task Reset_IsBelievedByEveryNode_WhenItReturns()
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient);
        var charge = Counters.Charge(Counters.Rule(5, Counters.Long), "key");
        for (var round = 0; round < 2; round++)
        {
            await SpendAsync(fleet[0], charge);
            foreach (var node in fleet.Nodes)
                await SpendAsync(node, charge);

            Assert.True(await fleet[round].Engine.ResetAsync(charge.Id));

            foreach (var node in fleet.Nodes)
                Assert.True((await node.Engine.DecideAsync(charge)).IsAllowed);
        }
        Assert.False(await fleet[0].Engine.ResetAsync(Counters.Charge(charge.Rule, "unknown").Id));
    }

    [Theory]
    [MemberData(nameof(Counting))]
    public async Task WhatIsGivenBackElsewhere_IsHeardOfWithinAQuarterOfASecond(AlgorithmKind algorithm)
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient, 2);
        var charge = Counters.Charge(Counters.Rule(5, Counters.Long, algorithm), "key");
        var taken = await fleet[0].Engine.DecideAsync(charge);
        await SpendAsync(fleet[0], charge);
        await SpendAsync(fleet[1], charge);

        await fleet[0].Engine.SettleAsync(charge, taken.Stamp, 0);
        var since = TimeProvider.System.GetTimestamp();
        await Eventually.IsTrueAsync(async () => (await fleet[1].Engine.DecideAsync(charge)).IsAllowed, "the other node allows");

        // And what the machine takes, when it is busy.
        Assert.InRange(TimeProvider.System.GetElapsedTime(since), TimeSpan.Zero, 4 * Heard);
    }

    [Fact]
    public async Task ChangedRule_IsAskedAnew()
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient, 1);
        var charge = Counters.Charge(Counters.Rule(5, Counters.Long), "key");
        await SpendAsync(fleet[0], charge);

        Assert.True((await fleet[0].Engine.DecideAsync(charge with { Rule = Counters.Rule(6, Counters.Long) })).IsAllowed);
    }

    [Fact]
    public async Task LostData_AreNotBelievedToRefuse()
    {
        await using var server = await Servers.StartAsync();
        var time = new TestTime();
        await using var node = await time.StartAsync(server.Port, refusesFromMemory: true);
        var counted = Counters.Charge(Counters.Rule(5, TimeSpan.FromSeconds(60)), "key");
        await SpendAsync(node, counted);
        var birth = node.Engine.Shards[0].Birth;

        server.Call("FLUSHALL");
        await Eventually.IsTrueAsync(() => node.Engine.Shards[0].Birth != birth, "the node has told what it knows");
        time.NowMicros += 2 * Second;
        await Eventually.IsTrueAsync(() => node.Engine.Status.Health == EngineHealth.Healthy, "it decides again");

        // Asked, and refused because the node told what it had seen.
        var again = await node.Engine.DecideAsync(counted);
        Assert.Equal((Outcome.Refused, DecisionSource.Exact), (again.Outcome, again.Source));
    }

    private static async Task SpendAsync(RedisNode node, Charge charge)
    {
        for (var i = 0; i < 2 * charge.Rule.Permits; i++)
            await node.Engine.DecideAsync(charge);
        Assert.Equal(DecisionSource.DenyCache, (await node.Engine.DecideAsync(charge)).Source);
    }
}
