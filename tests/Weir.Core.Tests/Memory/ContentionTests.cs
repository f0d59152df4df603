using Weir.TestKit;

namespace Weir.Core.Tests.Memory;

/// <summary>Threads that meet at one counter while time stands still are admitted exactly the limit, in sum, by every algorithm.</summary>
[Collection(Threads.Name)]
public class ContentionTests
{
    private const int MostRounds = 5_000;

    public static TheoryData<AlgorithmKind, int> Table()
    {
        var table = new TheoryData<AlgorithmKind, int>();
        foreach (var algorithm in Enum.GetValues<AlgorithmKind>())
        {
            foreach (var threads in new[] { 2, 4, 8 })
                table.Add(algorithm, threads);
        }
        return table;
    }

    [Theory]
    [MemberData(nameof(Table))]
    public async Task OneKey_ExactlyTheLimit(AlgorithmKind algorithm, int threads)
    {
        var rule = Rule.Create(new RuleOptions { Algorithm = algorithm, Permits = 9_973, Window = TimeSpan.FromMinutes(1) });
        // The counter is made in the race, too. Rounds go on until threads have really met.
        var met = false;
        for (var round = 0; round < MostRounds && !(met && round >= 5); round++)
            met |= await Round(rule, threads, several: round % 2 == 1);
        Assert.True(met, $"In {MostRounds} rounds {threads} threads never met at the counter.");
    }

    private static async Task<bool> Round(Rule rule, int threads, bool several)
    {
        using var engine = new MemoryEngine(time: new ManualTimeProvider());
        var now = engine.Clock.NowMicros;
        var contentions = MemoryEngine.Contentions;
        var intervals = new Threads.Interval[threads];
        long admitted = 0;
        await Threads.Run(threads, index =>
        {
            var charges = new[] { new Charge(rule, new CounterId(7, 7), 1, default), new Charge(rule, new CounterId(7, 7), 2, default) };
            var decisions = new Decision[2];
            var taken = 0L;
            for (var i = 0; i < 2 * rule.Permits / threads; i++)
            {
                // A request of 3 in two parts, and single permits for the rest.
                var inParts = several && i % 2 == 0;
                var allowed = inParts ? engine.Decide(charges, decisions, now).IsAllowed : engine.Decide(charges[0], now).IsAllowed;
                if (!allowed)
                    continue;
                taken += inParts ? 3 : 1;
                intervals[index].Mark();
            }
            Interlocked.Add(ref admitted, taken);
        });
        Assert.Equal(rule.Permits, admitted);
        Assert.Equal(0, engine.Decide(new Charge(rule, new CounterId(7, 7), 0, default), now).Remaining);
        return Threads.Interval.AnyOverlap(intervals) && (!WordAlgorithms.Has(rule) || MemoryEngine.Contentions > contentions);
    }

    [Fact]
    public async Task Leases_TakenAndReleasedByManyThreads_AreNeverTooMany()
    {
        using var engine = new MemoryEngine(time: new ManualTimeProvider());
        var rule = Rule.Create(new RuleOptions { Algorithm = AlgorithmKind.Concurrency, Permits = 3, Window = TimeSpan.FromMinutes(1) });
        var charge = new Charge(rule, new CounterId(1, 1), 1, default);
        var (held, most, taken) = (0, 0, 0);
        await Threads.Run(8, _ =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                var decision = engine.Decide(charge, engine.Clock.NowMicros);
                if (!decision.IsAllowed)
                    continue;
                Interlocked.Increment(ref taken);
                InterlockedMax(ref most, Interlocked.Increment(ref held));
                if (i % 64 == 0)
                    Thread.Yield();
                Interlocked.Decrement(ref held);
                Assert.Equal(1, engine.SettleAsync(charge, decision.Stamp, 0).AsTask().GetAwaiter().GetResult());
            }
        });
        Assert.InRange(most, 2, 3);
        Assert.True(taken > 1_000, $"{taken} leases");
        Assert.Equal(3, engine.Decide(charge with { Cost = 0 }, engine.Clock.NowMicros).Remaining);
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = Volatile.Read(ref target); value > seen; seen = Volatile.Read(ref target))
            Interlocked.CompareExchange(ref target, value, seen);
    }
}
