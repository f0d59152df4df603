using System.Numerics;

namespace Weir.TestKit;

/// <summary>
/// The two-counter estimate by its definition: what the whole history admitted in this aligned window, plus what it admitted in the previous one times
/// the part of it that a window ending now still covers. Estimates are integers in units of 1/window permit, so there is no rounding.
/// </summary>
public sealed class SlidingCounterModel(Rule rule) : CounterModel(rule)
{
    // The state holds counts of 24 bits.
    private const long MaxCount = (1 << 24) - 1;

    private readonly List<ModelCharge> _history = [];
    private long _newest = long.MinValue;

    public override ModelCharge Take(long now, long cost)
    {
        _newest = Math.Max(_newest, now);
        var charge = new ModelCharge(Window(now) * Rule.WindowMicros, cost);
        _history.Add(charge);
        return charge;
    }

    public override long Settle(long now, long cost, ModelCharge? charge, long actual)
    {
        if (actual > cost)
        {
            var debt = Math.Min(actual - cost, MaxCount - Count(Window(now)));
            Take(now, debt);
            return -debt;
        }
        var window = charge is null ? Window(now) : charge.At / Rule.WindowMicros;
        if (window < Window(now) - 1)
            return 0;
        var left = cost - actual;
        foreach (var taken in _history.Where(c => c.At / Rule.WindowMicros == window))
        {
            var back = Math.Min(left, taken.Kept);
            taken.Kept -= back;
            left -= back;
        }
        if (left < cost - actual)
            _newest = Math.Max(_newest, now);
        return cost - actual - left;
    }

    public override long Used(long now) => (long)((Estimate(now) + Rule.WindowMicros - 1) / Rule.WindowMicros);

    public override long Remaining(long now) =>
        (long)BigInteger.Max(0, BigInteger.Divide(((BigInteger)Rule.Permits * Rule.WindowMicros) - Estimate(now), Rule.WindowMicros));

    public override bool Fits(long now, long cost) => Estimate(now) + ((BigInteger)cost * Rule.WindowMicros) <= (BigInteger)Rule.Permits * Rule.WindowMicros;

    public override bool IsAsNeverUsed(long now) => Estimate(now) == 0;

    public override CounterModel Clone()
    {
        var clone = new SlidingCounterModel(Rule) { _newest = _newest };
        clone._history.AddRange(_history.Select(c => new ModelCharge(c.At, c.Kept)));
        return clone;
    }

    private BigInteger Estimate(long now)
    {
        var window = Window(now);
        var elapsed = Math.Max(0, now - (window * Rule.WindowMicros));
        return ((BigInteger)Count(window - 1) * (Rule.WindowMicros - elapsed)) + ((BigInteger)Count(window) * Rule.WindowMicros);
    }

    private long Count(long window) => _history.Where(c => c.At / Rule.WindowMicros == window).Sum(c => c.Kept);

    // Windows do not come back: an instant in an earlier window than the newest change's is that window's first instant.
    private long Window(long now) => Math.Max(now, _newest) / Rule.WindowMicros;
}
