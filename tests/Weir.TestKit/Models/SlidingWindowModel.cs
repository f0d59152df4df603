namespace Weir.TestKit;

/// <summary>The sliding window by its definition: counts what the whole history admitted within the last window.</summary>
public sealed class SlidingWindowModel(Rule rule) : CounterModel(rule)
{
    private readonly List<ModelCharge> _history = [];
    private long _newest = long.MinValue;

    public override ModelCharge Take(long now, long cost)
    {
        _newest = Seen(now);
        var charge = new ModelCharge(_newest, cost);
        _history.Add(charge);
        return charge;
    }

    public override long Settle(long now, long cost, ModelCharge? charge, long actual)
    {
        _newest = Seen(now);
        if (actual > cost)
        {
            // Debt is remembered up to a second limit.
            var debt = Math.Min(actual - cost, Math.Max(0, (2 * Rule.Permits) - Used(now)));
            if (debt > 0)
                Take(now, debt);
            return -debt;
        }
        var left = cost - actual;
        // Charges of one instant cannot be told apart, and need not be.
        foreach (var taken in _history.Where(c => Counts(c, Seen(now)) && (charge is null || c.At == charge.At)))
        {
            var back = Math.Min(left, taken.Kept);
            taken.Kept -= back;
            left -= back;
        }
        return cost - actual - left;
    }

    public override long Used(long now) => _history.Where(c => Counts(c, Seen(now))).Sum(c => c.Kept);

    public override long Remaining(long now) => Math.Max(0, Rule.Permits - Used(now));

    public override bool Fits(long now, long cost) => Used(now) + cost <= Rule.Permits;

    public override bool IsAsNeverUsed(long now) => Used(now) == 0;

    public override CounterModel Clone()
    {
        var clone = new SlidingWindowModel(Rule) { _newest = _newest };
        clone._history.AddRange(_history.Select(c => new ModelCharge(c.At, c.Kept)));
        return clone;
    }

    private bool Counts(ModelCharge charge, long now) => charge.At > now - Rule.WindowMicros;

    // Time does not run backwards: what an instant before the newest change sees is what that change saw.
    private long Seen(long now) => Math.Max(now, _newest);
}
