namespace Weir.TestKit;

/// <summary>What a reference model answers, in the words of <see cref="Decision"/>.</summary>
public sealed record ModelDecision(Outcome Outcome, long Remaining, long ResetMicros, long RetryAfterMicros)
{
    public bool IsAllowed => Outcome == Outcome.Allowed;
}

/// <summary>
/// One admitted charge as a model remembers it. Kept for ever: nothing is folded together, so that a reader can check the arithmetic by hand.
/// </summary>
public sealed class ModelCharge(long at, long cost)
{
    /// <summary>The instant at which the permits were taken.</summary>
    public long At { get; } = at;

    /// <summary>Permits that it still counts for: what it took less what was given back.</summary>
    public long Kept { get; set; } = cost;

    /// <summary>The algorithm's own mark, for those that need one.</summary>
    public object? Mark { get; init; }
}

/// <summary>
/// The slow, obviously right version of one counter: the list of everything that was ever admitted, and definitions instead of formulas. Instants
/// at which something becomes true are found by bisection over a predicate that only ever turns from false to true.
/// </summary>
public abstract class CounterModel(Rule rule)
{
    /// <summary>The rule that the counter counts by. Engines may go on with another one that counts alike.</summary>
    public Rule Rule { get; set; } = rule;

    /// <summary>The model of a rule's algorithm, never used.</summary>
    public static CounterModel Create(Rule rule) => rule.Algorithm switch
    {
        AlgorithmKind.SlidingWindow => new SlidingWindowModel(rule),
        AlgorithmKind.TokenBucket => new TokenBucketModel(rule),
        AlgorithmKind.FixedWindow => new FixedWindowModel(rule),
        AlgorithmKind.SlidingCounter => new SlidingCounterModel(rule),
        _ => new ConcurrencyModel(rule),
    };

    /// <summary>Decides without taking anything.</summary>
    public ModelDecision Decide(long now, long cost)
    {
        if (NeverFits(cost))
            return new ModelDecision(Outcome.NeverFits, Remaining(now), ResetAfter(now), 0);
        if (!Fits(now, cost))
            return new ModelDecision(Outcome.Refused, Remaining(now), ResetAfter(now), First(now, t => Fits(t, cost)) - now);
        var after = Clone();
        if (cost > 0)
            after.Take(now, cost);
        return new ModelDecision(Outcome.Allowed, after.Remaining(now), after.ResetAfter(now), 0);
    }

    /// <summary>Takes permits that <see cref="Decide"/> allowed.</summary>
    public abstract ModelCharge Take(long now, long cost);

    /// <summary>Corrects a charge. Without a charge the caller's word is taken that the permits still count.</summary>
    /// <returns>Permits given back (positive) or charged in addition (negative).</returns>
    public abstract long Settle(long now, long cost, ModelCharge? charge, long actual);

    /// <summary>Permits counted against the limit, rounded up.</summary>
    public abstract long Used(long now);

    /// <summary>Permits that could still be taken.</summary>
    public abstract long Remaining(long now);

    /// <summary>Whether the cost could be taken now.</summary>
    public abstract bool Fits(long now, long cost);

    /// <summary>Whether nothing that was taken counts any more.</summary>
    public abstract bool IsAsNeverUsed(long now);

    /// <summary>A copy that can be charged without changing this one.</summary>
    public abstract CounterModel Clone();

    /// <summary>The counter as it goes on under a rule that counts differently: what is used stays used, up to the new limit.</summary>
    public CounterModel ConvertedTo(Rule rule, long now)
    {
        var next = Create(rule);
        var used = Math.Min(Used(now), rule.Burst);
        if (used > 0 && rule.Permits > 0)
            next.Settle(now, 0, null, used);
        return next;
    }

    /// <summary>No question takes longer than this to come true.</summary>
    protected virtual long LongestWait => 3L * RuleBounds.MaxWindowMicros;

    /// <summary>Whether the cost fits at no time.</summary>
    protected virtual bool NeverFits(long cost) => cost > Rule.Permits;

    private long ResetAfter(long now) => First(now, IsAsNeverUsed) - now;

    private long First(long from, Func<long, bool> isTrue)
    {
        var (low, high) = (from - 1, from + LongestWait);
        if (!isTrue(high))
            throw new InvalidOperationException("A model waits for something that never comes true.");
        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            (low, high) = isTrue(middle) ? (low, middle) : (middle, high);
        }
        return high;
    }
}
