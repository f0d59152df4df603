using System.Collections.Concurrent;

namespace Weir.Core.Tests.Memory;

/// <summary>
/// A few seconds of everything at once on the real clock: all algorithms, single and several charges, corrections, resets, listings, sweeps, changes of rules and a
/// flood of new keys. Ends with what must hold however it went. <c>WEIR_SOAK_SECONDS</c> makes it longer.
/// </summary>
[Collection(Threads.Name)]
[Trait("Category", "Soak")]
public class SoakTests
{
    private const int Max = 5_000;
    private const int Keys = 40;

    private static readonly double Seconds = double.Parse(Environment.GetEnvironmentVariable("WEIR_SOAK_SECONDS") ?? "3");

    private readonly Rule[] _rules = [.. Enum.GetValues<AlgorithmKind>().Select(a => Rule.Create(new RuleOptions
    {
        Name = a.ToName(),
        Algorithm = a,
        Permits = 50,
        Window = TimeSpan.FromMilliseconds(200),
    }))];

    [Fact]
    public async Task Everything_ThenIdle()
    {
        using var engine = new MemoryEngine(new MemoryEngineOptions { MaxCounters = Max, SweepInterval = TimeSpan.FromMilliseconds(10) });
        var time = TimeProvider.System;
        var end = time.GetTimestamp() + (long)(Seconds * time.TimestampFrequency);
        var latest = end + (30 * time.TimestampFrequency);
        var contentions = MemoryEngine.Contentions;
        var slidingTaken = new ConcurrentBag<(long At, int Cost)>();
        long decisions = 0, degraded = 0, most = 0;
        await Threads.Run(5, thread =>
        {
            var random = new Random(thread);
            var buffer = new Decision[4];
            // Longer on a busy machine, where threads may take turns for a while instead of meeting.
            while (time.GetTimestamp() < end || (MemoryEngine.Contentions == contentions && time.GetTimestamp() < latest))
            {
                Interlocked.Increment(ref decisions);
                if (thread == 0)
                    Disturb(engine, random, ref degraded);
                else
                    Use(engine, random, buffer, slidingTaken);
                most = Math.Max(most, engine.ActiveCounters);
            }
        });
        Assert.True(decisions > 10_000, $"{decisions} decisions");
        Assert.True(degraded > 0, "The flood never reached the bound.");
        Assert.InRange(most, 1, Max);
        Assert.True(MemoryEngine.Contentions > contentions, "Threads never met.");
        AssertSlidingWindow([.. slidingTaken]);
        await UntilIdle(engine);
    }

    [Fact]
    public async Task Witness_ForLonger() => Assert.True(await WitnessTests.Check(4, TimeSpan.FromSeconds(Seconds), least: 10_000) >= 10_000);

    private void Use(MemoryEngine engine, Random random, Decision[] buffer, ConcurrentBag<(long At, int Cost)> slidingTaken)
    {
        var charge = Ask(_rules[random.Next(5)], random.Next(Keys), 1 + random.Next(3));
        switch (random.Next(8))
        {
            case 0:
                var several = new[] { charge, Ask(_rules[random.Next(5)], random.Next(Keys), 1), charge with { Cost = 1 } };
                _ = engine.Decide(several, buffer, engine.Clock.NowMicros);
                break;
            case 1:
                var reserved = engine.Decide(charge, engine.Clock.NowMicros);
                if (reserved.IsAllowed)
                    _ = engine.SettleAsync(charge, reserved.Stamp, random.Next(4)).AsTask().GetAwaiter().GetResult();
                break;
            case 2:
                // One counter that nothing else touches, to be checked against its promise afterwards.
                var own = Ask(_rules[(int)AlgorithmKind.SlidingWindow], Keys + 1, 1 + random.Next(3));
                var decision = engine.Decide(own, engine.Clock.NowMicros);
                if (decision.IsAllowed)
                    slidingTaken.Add((decision.Stamp, own.Cost));
                break;
            default:
                _ = engine.Decide(charge, engine.Clock.NowMicros);
                break;
        }
    }

    private void Disturb(MemoryEngine engine, Random random, ref long degraded)
    {
        var key = random.Next(Keys);
        switch (random.Next(200))
        {
            case 0:
                _ = engine.ListAsync(0, 10_000, random.Next(2) == 0).AsTask().GetAwaiter().GetResult();
                break;
            case 1:
                engine.Sweep();
                break;
            case < 10:
                _ = engine.ResetAsync(Ask(_rules[random.Next(5)], key, 1).Id).AsTask().GetAwaiter().GetResult();
                break;
            case < 20:
                // The same counter under a rule that counts differently.
                var changed = Ask(_rules[random.Next(5)], key, 1);
                _ = engine.Decide(changed with { Rule = _rules[random.Next(5)] }, engine.Clock.NowMicros);
                break;
            default:
                if (engine.Decide(Ask(_rules[random.Next(5)], 1_000 + random.Next(1_000_000), 1), engine.Clock.NowMicros).Source == DecisionSource.Degraded)
                    degraded++;
                break;
        }
    }

    private void AssertSlidingWindow((long At, int Cost)[] taken)
    {
        Array.Sort(taken);
        var rule = _rules[(int)AlgorithmKind.SlidingWindow];
        var (from, sum) = (0, 0L);
        foreach (var (at, cost) in taken)
        {
            sum += cost;
            while (taken[from].At <= at - rule.WindowMicros)
                sum -= taken[from++].Cost;
            Assert.True(sum <= rule.Permits, $"{sum} permits in the window that ends at {at}.");
        }
        Assert.True(taken.Length > 50, $"Only {taken.Length} were taken.");
    }

    private static async Task UntilIdle(MemoryEngine engine)
    {
        using var cap = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (engine.ActiveCounters > 0)
            await Task.Delay(10, cap.Token);
    }

    private static Charge Ask(Rule rule, int key, int cost)
    {
        var id = (ulong)((key * 8) + (int)rule.Algorithm + 1);
        return new Charge(rule, new CounterId(id * 0x9E3779B97F4A7C15, (id << 1) | 1), cost, CounterLabel.OfKey("k"));
    }
}
