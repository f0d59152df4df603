using Weir.TestKit;

namespace Weir.Core.Tests.Memory;

/// <summary>Corners of the memory engine that traces do not reach.</summary>
public class MemoryEngineTests
{
    private readonly ManualTimeProvider _time = new();

    [Theory]
    [InlineData(999, 5_000)]
    [InlineData(100_000_001, 5_000)]
    [InlineData(1_000, 9)]
    [InlineData(1_000, 60_001)]
    public void Options_OutsideTheirBounds_AreRefused(long counters, int sweepMilliseconds) =>
        Assert.Throws<ArgumentException>(() =>
            new MemoryEngine(new MemoryEngineOptions { MaxCounters = counters, SweepInterval = TimeSpan.FromMilliseconds(sweepMilliseconds) }, _time));

    [Theory]
    [InlineData(0)]
    [InlineData(65)]
    public void TooFewOrTooManyCharges_AreRefused(int charges)
    {
        using var engine = new MemoryEngine(time: _time);
        Assert.Throws<ArgumentException>(() => engine.Decide(new Charge[charges], new Decision[charges], 0));
    }

    [Fact]
    public void TooLittleRoomForDecisions_IsRefused()
    {
        using var engine = new MemoryEngine(time: _time);
        Assert.Throws<ArgumentException>(() => engine.Decide(new Charge[2], new Decision[1], 0));
    }

    [Fact]
    public void SixtyFourCharges_AreDecided()
    {
        using var engine = new MemoryEngine(time: _time);
        var charges = Enumerable.Range(0, ILimiter.MaxCharges).Select(i => Ask(RuleOf((AlgorithmKind)(i % 5)), 1, (ulong)(i * 2) + 1)).ToArray();
        Assert.True(engine.Decide(charges, new Decision[64], engine.Clock.NowMicros).IsAllowed);
        Assert.Equal(64, engine.ActiveCounters);
    }

    [Fact]
    public void OnlyShadowRules_NeverBind()
    {
        using var engine = new MemoryEngine(time: _time);
        var shadow = Rule.Create(RuleOf(AlgorithmKind.SlidingWindow).ToOptions() with { Shadow = true });
        var decisions = new Decision[1];
        for (var i = 0; i < 10; i++)
            Assert.Null(engine.Decide([Ask(shadow, 1)], decisions, engine.Clock.NowMicros).Rule);
        Assert.Equal(Outcome.Refused, decisions[0].Outcome);
    }

    // A ring that has wrapped around: its oldest entries have expired, and what is taken next lies where they were.
    [Theory]
    [InlineData(AlgorithmKind.SlidingWindow)]
    [InlineData(AlgorithmKind.Concurrency)]
    public void RequestRefusedByAnotherLimit_LeavesAFullRingAsItWas(AlgorithmKind algorithm)
    {
        using var engine = new MemoryEngine(time: _time);
        var rule = Rule.Create(new RuleOptions { Algorithm = algorithm, Permits = 4, Window = TimeSpan.FromSeconds(10) });
        var start = engine.Clock.NowMicros;
        for (var second = 0; second < 4; second++)
            Assert.True(engine.Decide(Ask(rule, 1), start + (second * 1_000_000)).IsAllowed);
        var now = start + 11_000_000;
        var nothing = Rule.Create(new RuleOptions { Name = "nothing", Permits = 0 });
        Assert.False(engine.Decide([Ask(rule, 2), Ask(nothing, 1, 3)], new Decision[2], now).IsAllowed);
        Assert.Equal(2, engine.Decide(Ask(rule, 0), now).Remaining);
        Assert.False(engine.Decide(Ask(rule, 3), now).IsAllowed);
        Assert.True(engine.Decide(Ask(rule, 2), now).IsAllowed);
    }

    [Theory]
    [InlineData(AlgorithmKind.SlidingWindow)]
    [InlineData(AlgorithmKind.Concurrency)]
    public async Task Listing_LeavesAFullRingAsItWas(AlgorithmKind algorithm)
    {
        using var engine = new MemoryEngine(time: _time);
        var rule = Rule.Create(new RuleOptions { Algorithm = algorithm, Permits = 5, Window = TimeSpan.FromSeconds(10) });
        for (var second = 0; second < 4; second++)
        {
            Assert.True((await engine.DecideAsync(Ask(rule, 1))).IsAllowed);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        _time.Advance(TimeSpan.FromSeconds(7));
        _ = await engine.ListAsync(0, 10, blockedOnly: false);
        Assert.Equal(3, (await engine.DecideAsync(Ask(rule, 0))).Remaining);
    }

    [Fact]
    public void InstantBeforeASweep_DoesNotMissWhatTheSweepFreed()
    {
        using var engine = new MemoryEngine(time: _time);
        var rule = Rule.Create(new RuleOptions { Permits = 1, Window = TimeSpan.FromSeconds(10) });
        var start = engine.Clock.NowMicros;
        Assert.True(engine.Decide(Ask(rule, 1), start).IsAllowed);
        _time.Advance(TimeSpan.FromSeconds(15));
        engine.Sweep();
        Assert.Equal(0, engine.ActiveCounters);
        // Read from the clock a microsecond before the window ended, and decided after it.
        var late = engine.Decide(Ask(rule, 1), start + 9_999_999);
        Assert.True(late.Stamp >= start + 10_000_000, $"Taken {late.Stamp - start} µs after the first.");
    }

    [Fact]
    public async Task LeaseOfAFreedCounter_IsNotTheNextOnes()
    {
        using var engine = new MemoryEngine(time: _time);
        var rule = RuleOf(AlgorithmKind.Concurrency);
        var old = await engine.DecideAsync(Ask(rule, 1));
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(0, engine.ActiveCounters);
        Assert.True((await engine.DecideAsync(Ask(rule, 1))).IsAllowed);
        Assert.False(await engine.RenewAsync(Ask(rule, 1), old.Stamp));
        Assert.Equal(0, await engine.SettleAsync(Ask(rule, 1), old.Stamp, 0));
    }

    [Fact]
    public async Task LeaseTimeShortened_OldLeasesAreHeldToTheirEnd()
    {
        using var engine = new MemoryEngine(time: _time);
        var hour = Rule.Create(new RuleOptions { Algorithm = AlgorithmKind.Concurrency, Permits = 2, Window = TimeSpan.FromHours(1) });
        var second = Rule.Create(hour.ToOptions() with { Window = TimeSpan.FromSeconds(1) });
        Assert.True((await engine.DecideAsync(Ask(hour, 1))).IsAllowed);
        Assert.True((await engine.DecideAsync(Ask(second, 1))).IsAllowed);
        Assert.Equal(1_000_000, (await engine.DecideAsync(Ask(second, 1))).RetryAfterMicros);
        _time.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(1, (await engine.DecideAsync(Ask(second, 0))).Remaining);
        _time.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(2, (await engine.DecideAsync(Ask(second, 0))).Remaining);
    }

    private static Rule RuleOf(AlgorithmKind algorithm) => Rule.Create(new RuleOptions { Algorithm = algorithm, Permits = 5 });

    private static Charge Ask(Rule rule, int cost, ulong key = 1) => new(rule, new CounterId(key << 40, key), cost, default);
}
