using Weir.TestKit;

namespace Weir.Core.Tests.Memory;

/// <summary>The bound on counters under a flood of keys that nobody has seen before.</summary>
[Collection(Threads.Name)]
public class BoundTests
{
    private const int Max = 1_000;

    private readonly ManualTimeProvider _time = new();

    public static TheoryData<AlgorithmKind> Algorithms => [.. Enum.GetValues<AlgorithmKind>()];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public async Task Flood_NeverExceedsTheBound_AndLeavesExistingCountersExact(AlgorithmKind algorithm)
    {
        using var engine = new MemoryEngine(new MemoryEngineOptions { MaxCounters = Max }, _time);
        var rule = RuleOf(algorithm, FailurePolicy.Closed);
        var now = engine.Clock.NowMicros;
        for (var key = 0; key < 100; key++)
            Assert.True(engine.Decide(Ask(rule, key), now).IsAllowed);
        long most = 0;
        var degraded = 0;
        await Threads.Run(4, thread =>
        {
            for (var key = 0; key < 10 * Max / 4; key++)
            {
                var decision = engine.Decide(Ask(rule, 1_000_000 + (thread * 1_000_000) + key), now);
                if (decision.Source == DecisionSource.Degraded)
                    Interlocked.Increment(ref degraded);
                if (engine.ActiveCounters > Volatile.Read(ref most))
                    Volatile.Write(ref most, engine.ActiveCounters);
            }
        });
        Assert.Equal(Max, most);
        Assert.Equal((10 * Max) - (Max - 100), degraded);
        // Ten permits each, one taken before the flood.
        for (var key = 0; key < 100; key++)
        {
            for (var left = 8; left >= 0; left--)
                Assert.Equal((Outcome.Allowed, DecisionSource.Exact, left), Answer(engine.Decide(Ask(rule, key), now)));
            Assert.Equal((Outcome.Refused, DecisionSource.Exact, 0), Answer(engine.Decide(Ask(rule, key), now)));
        }
    }

    [Theory]
    [InlineData(FailurePolicy.Closed, Outcome.Refused)]
    [InlineData(FailurePolicy.Local, Outcome.Refused)]
    [InlineData(FailurePolicy.Open, Outcome.Allowed)]
    public void AtTheBound_TheRuleAnswers_Marked(FailurePolicy policy, Outcome outcome)
    {
        using var engine = Full();
        var now = engine.Clock.NowMicros;
        foreach (var algorithm in Enum.GetValues<AlgorithmKind>())
        {
            var charge = Ask(RuleOf(algorithm, policy), 5_000_000);
            var one = engine.Decide(charge, now);
            var decisions = new Decision[2];
            var several = engine.Decide([charge, Ask(charge.Rule, 5_000_001)], decisions, now);
            Assert.Equal((outcome, DecisionSource.Degraded), (one.Outcome, one.Source));
            Assert.Equal((outcome, DecisionSource.Degraded), (several.Outcome, several.Source));
            Assert.Equal(outcome == Outcome.Refused, one.RetryAfterMicros > 0);
        }
    }

    [Fact]
    public void AtTheBound_LooksAndCostsThatNeverFit_AreStillAnsweredExactly()
    {
        using var engine = Full();
        var charge = Ask(RuleOf(AlgorithmKind.SlidingWindow, FailurePolicy.Closed), 6_000_000);
        Assert.Equal((Outcome.Allowed, DecisionSource.Exact, 10), Answer(engine.Decide(charge with { Cost = 0 }, engine.Clock.NowMicros)));
        Assert.Equal((Outcome.NeverFits, DecisionSource.Exact, 10), Answer(engine.Decide(charge with { Cost = 11 }, engine.Clock.NowMicros)));
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void LooksAndRefusals_MakeNoCounters(AlgorithmKind algorithm)
    {
        using var engine = new MemoryEngine(time: _time);
        var rule = RuleOf(algorithm, FailurePolicy.Closed);
        var now = engine.Clock.NowMicros;
        var decisions = new Decision[2];
        Assert.True(engine.Decide(Ask(rule, 0) with { Cost = 10 }, now).IsAllowed);
        for (var key = 1; key < 100; key++)
        {
            Assert.True(engine.Decide(Ask(rule, key) with { Cost = 0 }, now).IsAllowed);
            Assert.False(engine.Decide(Ask(rule, key) with { Cost = 11 }, now).IsAllowed);
            Assert.True(engine.Decide([Ask(rule, key) with { Cost = 0 }, Ask(rule, key + 1) with { Cost = 0 }], decisions, now).IsAllowed);
            Assert.False(engine.Decide([Ask(rule, key), Ask(rule, 0)], decisions, now).IsAllowed);
        }
        Assert.Equal(1, engine.ActiveCounters);
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void IdleCounters_AreFreed_WithTheirMemory(AlgorithmKind algorithm)
    {
        const int Keys = 100_000;
        using var engine = new MemoryEngine(time: _time);
        var rule = RuleOf(algorithm, FailurePolicy.Closed);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var key = 0; key < Keys; key++)
            Assert.True(engine.Decide(Ask(rule, key), engine.Clock.NowMicros).IsAllowed);
        var used = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.Equal(Keys, engine.ActiveCounters);
        // The engine's own timer sweeps.
        _time.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(0, engine.ActiveCounters);
        var kept = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.InRange(used / Keys, 60, 400);
        Assert.True(kept < used / 10, $"{kept} of {used} bytes are still there.");
    }

    private MemoryEngine Full()
    {
        var engine = new MemoryEngine(new MemoryEngineOptions { MaxCounters = Max }, _time);
        var rule = RuleOf(AlgorithmKind.TokenBucket, FailurePolicy.Closed);
        for (var key = 0; key < Max; key++)
            Assert.True(engine.Decide(Ask(rule, key), engine.Clock.NowMicros).IsAllowed);
        return engine;
    }

    private static Rule RuleOf(AlgorithmKind algorithm, FailurePolicy policy) =>
        Rule.Create(new RuleOptions { Algorithm = algorithm, Permits = 10, Window = TimeSpan.FromMinutes(1), Failure = policy });

    // Spread over the segments as hashed keys are.
    private static Charge Ask(Rule rule, int key) => new(rule, new CounterId((ulong)key * 0x9E3779B97F4A7C15, (ulong)key << 1), 1, CounterLabel.OfKey("k"));

    private static (Outcome, DecisionSource, long) Answer(in Decision decision) => (decision.Outcome, decision.Source, decision.Remaining);
}
