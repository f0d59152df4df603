using Weir.Redis.Tests.Fleets;

namespace Weir.Redis.Tests.Caching;

/// <summary>What a node remembers of a counter when replies are read in another order than Redis decided in.</summary>
public sealed class HintMemoryTests
{
    private const long Start = 1_767_225_600_000_000;

    private readonly AnswerMemory _memory = new(16, TimeProvider.System, new CounterNames());

    public static TheoryData<AlgorithmKind> Counting => [AlgorithmKind.SlidingWindow, AlgorithmKind.TokenBucket, AlgorithmKind.FixedWindow, AlgorithmKind.SlidingCounter];

    [Theory]
    [MemberData(nameof(Counting))]
    public void DecisionThatIsReadAfterALaterCommit_TakesNothingOfItAway(AlgorithmKind algorithm)
    {
        var charge = Counters.Charge(Counters.Rule(100, Counters.Long, algorithm), "key");
        Decided(charge, at: 10, used: 0, cost: 5);
        _memory.Correct(charge, -30, Start + 30);
        Assert.Equal(35, Known(charge));

        // Redis decided it before the commit, and again before that.
        Decided(charge, at: 20, used: 5, cost: 1);
        Assert.Equal(36, Known(charge));
        Decided(charge, at: 15, used: 5, cost: 0);
        Assert.Equal(36, Known(charge));

        // What is decided after it has it in its state.
        Decided(charge, at: 40, used: 36, cost: 2);
        Assert.Equal(38, Known(charge));
        _memory.Correct(charge, -4, Start + 50);
        Decided(charge, at: 60, used: 42, cost: 1);
        Assert.Equal(43, Known(charge));
    }

    [Fact]
    public void CommitToACounterOfWhichNothingIsKnown_IsRemembered()
    {
        var charge = Counters.Charge(Counters.Rule(100, Counters.Long), "key");
        _memory.Correct(charge, -30, Start + 30);
        Assert.Equal(30, Known(charge));
        Decided(charge, at: 20, used: 5, cost: 1);
        Assert.Equal(36, Known(charge));
    }

    private void Decided(Charge charge, long at, int used, int cost)
    {
        var (now, rule) = (Start + at, charge.Rule);
        var window = now - (now % rule.WindowMicros);
        var answer = rule.Algorithm switch
        {
            // The level of a bucket in whole permits, each of them this many microseconds.
            AlgorithmKind.TokenBucket => CounterAnswer.Of(rule, now, 1, used * rule.EmissionNumerator / rule.EmissionDenominator, used * rule.EmissionNumerator % rule.EmissionDenominator),
            AlgorithmKind.FixedWindow => CounterAnswer.Of(rule, now, 1, window, used),
            AlgorithmKind.SlidingCounter => CounterAnswer.Of(rule, now, 1, window, 0, used),
            _ => CounterAnswer.Of(rule, now, 1, used, used == 0 ? 0 : now),
        };
        _memory.Remember(charge.Id, rule, answer, cost, new ReplyHeader(ReplyStatus.Done, now, 1, 1, 0));
    }

    private long Known(Charge charge)
    {
        Assert.True(_memory.TryRecall(charge.Id, out var rule, out var hint));
        return KnownUse.Of(rule, hint, Start + 70);
    }
}
