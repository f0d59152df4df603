using Weir.TestKit;

namespace Weir.Core.Tests.Memory;

/// <summary>
/// A witness that token-bucket decisions happened one after the other: each that allows moves the instant at which the bucket is full from some point to another. No
/// two may cover the same stretch, however often the counter is freed, made again and moved to another table meanwhile.
/// </summary>
[Collection(Threads.Name)]
public class WitnessTests
{
    private readonly record struct Stretch(long From, long To);

    [Fact]
    public async Task Stretches_NeverOverlap_WhileTablesAreRebuilt()
    {
        var stretches = await Decide(threads: 3, TimeSpan.FromMilliseconds(600));
        Assert.True(stretches.Count > 1_000, $"{stretches.Count} decisions allowed.");
        AssertNoOverlap(stretches);
    }

    [Fact]
    public void AnOverlap_IsFound() =>
        Assert.ThrowsAny<Exception>(() => AssertNoOverlap([new Stretch(0, 10), new Stretch(20, 30), new Stretch(9, 12)]));

    internal static async Task<int> Check(int threads, TimeSpan time)
    {
        var stretches = await Decide(threads, time);
        AssertNoOverlap(stretches);
        return stretches.Count;
    }

    private static async Task<List<Stretch>> Decide(int threads, TimeSpan time)
    {
        // Seconds pass within microseconds, so that the counter is idle, and freed, all the time.
        var clock = new ManualTimeProvider();
        using var engine = new MemoryEngine(new MemoryEngineOptions { SweepInterval = TimeSpan.FromSeconds(1) }, clock);
        var rule = Rule.Create(new RuleOptions { Algorithm = AlgorithmKind.TokenBucket, Permits = 100, Window = TimeSpan.FromSeconds(10), Burst = 7 });
        var end = TimeProvider.System.GetTimestamp() + (long)(time.TotalSeconds * TimeProvider.System.TimestampFrequency);
        var all = new List<Stretch>();
        var (freed, running, contentions) = (0, threads, MemoryEngine.Contentions);
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
                freed = AddNeighbours(engine, rule, ref running);
                return;
            }
            var mine = new List<Stretch>();
            var charge = new Charge(rule, new CounterId(1, 1), 1, default);
            for (var i = 0; TimeProvider.System.GetTimestamp() < end; i++)
            {
                var cost = 1 + (i % 5);
                var decision = engine.Decide(charge with { Cost = cost }, engine.Clock.NowMicros);
                // The stamp is the instant that the engine decided by.
                var full = decision.Stamp + decision.ResetMicros;
                if (decision.IsAllowed)
                    mine.Add(new Stretch(full - (cost * 100_000), full));
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
    private static int AddNeighbours(MemoryEngine engine, Rule rule, ref int running)
    {
        var (freed, before) = (0, 0L);
        for (ulong key = 2; Volatile.Read(ref running) > 0; key++)
        {
            _ = engine.Decide(new Charge(rule, new CounterId(2, key << 1), 1, default), engine.Clock.NowMicros);
            var active = engine.ActiveCounters;
            freed += active < before ? 1 : 0;
            before = active;
        }
        return freed;
    }

    private static void AssertNoOverlap(List<Stretch> stretches)
    {
        stretches.Sort(static (a, b) => a.From.CompareTo(b.From));
        for (var i = 1; i < stretches.Count; i++)
            Assert.True(stretches[i].From >= stretches[i - 1].To, $"{stretches[i - 1]} and {stretches[i]} overlap: a permit was given twice.");
    }
}
