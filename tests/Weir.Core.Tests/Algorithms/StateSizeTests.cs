namespace Weir.Core.Tests.Algorithms;

/// <summary>What is taken and given back over and over leaves no trail in the state.</summary>
public class StateSizeTests
{
    private const int Rounds = 10_000;
    private const int Most = 32;

    [Fact]
    public void SlidingWindow_TakingAndGivingBack_DoesNotGrow() =>
        Assert.InRange(Longest<SlidingWindow, SlidingWindowState>(AlgorithmKind.SlidingWindow, state => state.Taken.Count), 3, Most);

    [Fact]
    public void Concurrency_TakingAndGivingBack_DoesNotGrow() =>
        Assert.InRange(Longest<Concurrency, ConcurrencyState>(AlgorithmKind.Concurrency, state => state.Leases.Count), 3, Most);

    [Fact]
    public void Concurrency_Renewing_DoesNotGrow()
    {
        var rule = RuleOf(AlgorithmKind.Concurrency);
        var state = Concurrency.Fresh(rule, 1_000);
        // The oldest lease stays where it is; the other is renewed.
        Concurrency.Decide(rule, state, 1_000, 1, out state);
        var stamp = Concurrency.Decide(rule, state, 1_000, 1, out state).Stamp;
        for (var i = 0; i < Rounds; i++)
        {
            Assert.True(Concurrency.Renew(rule, state, 1_001 + i, stamp, out state));
            Assert.InRange(state.Leases.Count, 2, Most);
        }
    }

    // One permit stays taken, and of two others one is always taken while the other is given back.
    private static int Longest<TAlgorithm, TState>(AlgorithmKind algorithm, Func<TState, int> length)
        where TAlgorithm : struct, IAlgorithm<TState>
    {
        var rule = RuleOf(algorithm);
        var now = 1_000L;
        var state = TAlgorithm.Fresh(rule, now);
        TAlgorithm.Decide(rule, state, now, 1, out state);
        var last = TAlgorithm.Decide(rule, state, ++now, 1, out state).Stamp;
        var longest = 0;
        for (var i = 0; i < Rounds; i++)
        {
            var next = TAlgorithm.Decide(rule, state, ++now, 1, out state);
            Assert.True(next.IsAllowed);
            Assert.Equal(1, TAlgorithm.Settle(rule, state, ++now, 1, last, 0, out state));
            last = next.Stamp;
            longest = Math.Max(longest, length(state));
        }
        Assert.Equal(2, TAlgorithm.Used(rule, state, now));
        return longest;
    }

    private static Rule RuleOf(AlgorithmKind algorithm) =>
        Rule.Create(new RuleOptions { Algorithm = algorithm, Permits = 3, Window = TimeSpan.FromDays(1) });
}
