using Weir.TestKit;

namespace Weir.Core.Tests.Memory;

/// <summary>
/// A witness that token-bucket decisions happened one after the other: each that allows moves the instant at which the bucket is full from some point to another. No
/// two may cover the same stretch, however often the counter is freed, made again and moved to another table meanwhile.
/// </summary>
[Collection(Threads.Name)]
public class WitnessTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(40);

    private readonly record struct Stretch(long From, long To);

    [Fact]
    public async Task Stretches_NeverOverlap_WhileTablesAreRebuilt()
    {
        var stretches = await Decide(threads: 3, TimeSpan.FromMilliseconds(600), least: 1_000);
        Assert.True(stretches.Count >= 1_000, $"{stretches.Count} decisions allowed.");
        AssertNoOverlap(stretches);
    }

    [Fact]
    public void AnOverlap_IsFound() =>
        Assert.ThrowsAny<Exception>(() => AssertNoOverlap([new Stretch(0, 10), new Stretch(20, 30), new Stretch(9, 12)]));

    internal static async Task<int> Check(int threads, TimeSpan time, int least)
    {
        var stretches = await Decide(threads, time, least);
        AssertNoOverlap(stretches);
        return stretches.Count;
    }

    private static async Task<List<Stretch>> Decide(int threads, TimeSpan time, int least)
    {
        // Seconds pass within microseconds, so that the counter is idle, and freed, all the time.
        var clock = new ManualTimeProvider();
        using var engine = new MemoryEngine(new MemoryEngineOptions { SweepInterval = TimeSpan.FromSeconds(1) }, clock);
        var rule = Rule.Create(new RuleOptions { Algorithm = AlgorithmKind.TokenBucket, Permits = 100, Window = TimeSpan.FromSeconds(10), Burst = 7 });
        var began = TimeProvider.System.GetTimestamp();
        var all = new List<Stretch>();
        var (freed, allowed, running, contentions) = (0, 0, threads, MemoryEngine.Contentions);
        // Longer on a busy machine, where threads may take turns for a while instead of meeting.
        bool GoesOn() => TimeProvider.System.GetElapsedTime(began) is var passed
            && (passed < time || (passed < Longest && !Enough()));
        bool Enough() => MemoryEngine.Contentions > contentions && Volatile.Read(ref freed) > 10 && Volatile.Read(ref allowed) >= least;
        await Threads.Run(threads + 2, index =>
        {
            if (index == threads)
            {
                for (var i = 0; Volatile.Read(ref running) > 0; i++)
                    clock.Advance(TimeSpan.FromMilliseconds(i % 4 == 0 ? 2_500 : 37));
                return;
            }
            if (index > threads)
            {
                AddNeighbours(engine, rule, ref running, ref freed);
                return;
            }
            var mine = new List<Stretch>();
            var charge = new Charge(rule, new CounterId(1, 1), 1, default);
            for (var i = 0; GoesOn(); i++)
            {
                var cost = 1 + (i % 5);
                var decision = engine.Decide(charge with { Cost = cost }, engine.Clock.NowMicros);
                // The stamp is the instant that the engine decided by.
                var full = decision.Stamp + decision.ResetMicros;
                if (!decision.IsAllowed)
                    continue;
                mine.Add(new Stretch(full - (cost * 100_000), full));
                Interlocked.Increment(ref allowed);
            }
            lock (all)
                all.AddRange(mine);
            Interlocked.Decrement(ref running);
        });
        Assert.True(freed > 10, $"Counters were freed only {freed} times.");
        Assert.True(MemoryEngine.Contentions > contentions, "Threads never met at the counter.");
        return all;
    }

    // Counters of the same segment that come and go make it grow and shrink.
    private static void AddNeighbours(MemoryEngine engine, Rule rule, ref int running, ref int freed)
    {
        var before = 0L;
        for (ulong key = 2; Volatile.Read(ref running) > 0; key++)
        {
            _ = engine.Decide(new Charge(rule, new CounterId(2, key << 1), 1, default), engine.Clock.NowMicros);
            var active = engine.ActiveCounters;
            Volatile.Write(ref freed, freed + (active < before ? 1 : 0));
            before = active;
        }
    }

    private static void AssertNoOverlap(List<Stretch> stretches)
    {
        stretches.Sort(static (a, b) => a.From.CompareTo(b.From));
        for (var i = 1; i < stretches.Count; i++)
            Assert.True(stretches[i].From >= stretches[i - 1].To, $"{stretches[i - 1]} and {stretches[i]} overlap: a permit was given twice.");
    }
}
