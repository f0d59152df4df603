using System.Numerics;

namespace Weir.TestKit;

/// <summary>
/// The token bucket as textbooks draw it: a level that rises by the cost of what is admitted and leaks at limit/window, replayed from the first charge
/// on whenever the history has changed. Levels are integers in units of 1/window permit, so there is no rounding.
/// </summary>
public sealed class TokenBucketModel(Rule rule) : CounterModel(rule)
{
    private readonly List<(long At, BigInteger Change)> _history = [];
    private (long At, BigInteger Level)? _replayed;

    private BigInteger Window => Rule.WindowMicros;

    private BigInteger Depth => Rule.Burst * Window;

    public override ModelCharge Take(long now, long cost)
    {
        Change(now, cost * Window);
        return new ModelCharge(now, cost);
    }

    public override long Settle(long now, long cost, ModelCharge? charge, long actual)
    {
        if (Rule.Permits == 0)
            return 0;
        var level = Level(now);
        var permits = cost - actual;
        BigInteger change;
        if (permits >= 0)
        {
            change = BigInteger.Min(level, Math.Min(permits, Rule.Burst) * Window);
            if (charge is not null)
                change = BigInteger.Min(change, NotRefilled(cost, now - charge.At));
        }
        else
        {
            // Debt is remembered up to a second bucket.
            change = -BigInteger.Min(Math.Min(-permits, Rule.Burst) * Window, BigInteger.Max(0, (2 * Depth) - level));
        }
        Change(now, -change);
        return (long)BigInteger.Divide(change, Window);
    }

    public override long Used(long now) => Ceiling(Level(now), Window);

    public override long Remaining(long now) => Rule.Permits == 0 ? 0 : (long)BigInteger.Max(0, BigInteger.Divide(Depth - Level(now), Window));

    public override bool Fits(long now, long cost) => Level(now) + (cost * Window) <= Depth || (Rule.Permits == 0 && cost == 0);

    public override bool IsAsNeverUsed(long now) => Level(now) <= 0;

    public override CounterModel Clone()
    {
        var clone = new TokenBucketModel(Rule);
        clone._history.AddRange(_history);
        return clone;
    }

    protected override bool NeverFits(long cost) => cost > Rule.Burst || (cost > 0 && Rule.Permits == 0);

    protected override long LongestWait => 1L << 60;

    private void Change(long now, BigInteger change)
    {
        if (change == 0)
            return;
        _history.Add((now, change));
        _replayed = null;
    }

    // An instant before the newest charge sees what has not leaked since: the level as of then, and never less than nothing.
    private BigInteger Level(long now)
    {
        if (_history.Count == 0)
            return 0;
        var (newest, level) = _replayed ??= Replay();
        return BigInteger.Max(0, level - ((BigInteger)Rule.Permits * (now - newest)));
    }

    // Time is taken to have refilled this charge before any other.
    private BigInteger NotRefilled(long cost, long elapsed) =>
        BigInteger.Max(0, (Math.Min(cost, Rule.Burst) * Window) - ((BigInteger)Rule.Permits * Math.Max(0, elapsed)));

    private (long At, BigInteger Level) Replay()
    {
        var (newest, level) = (_history[0].At, BigInteger.Zero);
        foreach (var (at, change) in _history)
        {
            if (at > newest)
                level = BigInteger.Max(0, level - ((BigInteger)Rule.Permits * (at - newest)));
            newest = Math.Max(newest, at);
            level += change;
        }
        return (newest, level);
    }

    private static long Ceiling(BigInteger dividend, BigInteger divisor) => (long)((dividend + divisor - 1) / divisor);
}
