using Weir.TestKit;

namespace Weir.Core.Tests.Memory;

/// <summary>Decisions allocate nothing once their counters exist.</summary>
public class AllocationTests
{
    private const int Decisions = 5_000;

    public static TheoryData<AlgorithmKind> Algorithms => [.. Enum.GetValues<AlgorithmKind>()];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void OneCharge_AllocatesNothing(AlgorithmKind algorithm)
    {
        using var engine = new MemoryEngine(time: new ManualTimeProvider());
        var charge = new Charge(RuleOf(algorithm), new CounterId(1, 1), 1, CounterLabel.OfKey("key"));
        var now = engine.Clock.NowMicros;
        AssertAllocatesNothing(() =>
        {
            // Twice the limit's rate: half of the decisions allow, half refuse, and rings wrap around.
            var (allowed, refused) = (0, 0);
            for (var i = 0; i < Decisions; i++)
            {
                now += 50_000;
                _ = engine.Decide(charge, now).IsAllowed ? allowed++ : refused++;
            }
            Assert.True(allowed > Decisions / 3 && refused > Decisions / 3, $"{allowed} allowed, {refused} refused");
        });
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void SeveralCharges_AllocateNothing(AlgorithmKind algorithm)
    {
        using var engine = new MemoryEngine(time: new ManualTimeProvider());
        var rule = RuleOf(algorithm);
        var charges = new Charge[] { new(rule, new CounterId(9, 1), 1, default), new(rule, new CounterId(2, 2), 1, default), new(rule, new CounterId(9, 1), 1, default) };
        var decisions = new Decision[3];
        var now = engine.Clock.NowMicros;
        AssertAllocatesNothing(() =>
        {
            var (allowed, refused) = (0, 0);
            for (var i = 0; i < Decisions; i++)
            {
                now += 100_000;
                _ = engine.Decide(charges, decisions, now).IsAllowed ? allowed++ : refused++;
            }
            Assert.True(allowed > Decisions / 3 && refused > Decisions / 3, $"{allowed} allowed, {refused} refused");
        });
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void ThroughTheDoor_AllocatesNothing(AlgorithmKind algorithm)
    {
        using var engine = new MemoryEngine();
        ILimiter limiter = engine;
        var charge = new Charge(RuleOf(algorithm), new CounterId(1, 1), 1, CounterLabel.OfKey("key"));
        AssertAllocatesNothing(() =>
        {
            for (var i = 0; i < Decisions; i++)
            {
                var answer = limiter.DecideAsync(charge);
                if (!answer.IsCompletedSuccessfully)
                    Assert.Fail("The memory engine answers at once.");
            }
        });
    }

    private static Rule RuleOf(AlgorithmKind algorithm) =>
        Rule.Create(new RuleOptions { Algorithm = algorithm, Permits = 10, Window = TimeSpan.FromSeconds(1) });

    // Compiling and growing to size take the first rounds, and a collection on another thread can add a thread's unused room to its account.
    private static void AssertAllocatesNothing(Action decide)
    {
        var allocated = long.MaxValue;
        for (var round = 0; round < 6; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            decide();
            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        // Less than a byte per hundred decisions: a sweep that is overdue builds a table.
        Assert.True(allocated < Decisions, $"{allocated} bytes in {Decisions} decisions");
    }
}
