namespace Weir.TestKit;

/// <summary>The fixed window by its definition: counts what the whole history admitted since the window around now began.</summary>
public sealed class FixedWindowModel(Rule rule) : CounterModel(rule)
{
    private readonly List<ModelCharge> _history = [];
    private readonly CalendarWalk? _calendar = rule.Calendar is { } c ? new CalendarWalk(c.Unit, c.Zone) : null;

    public override ModelCharge Take(long now, long cost)
    {
        var charge = new ModelCharge(Seen(now), cost);
        _history.Add(charge);
        return charge;
    }

    public override long Settle(long now, long cost, ModelCharge? charge, long actual)
    {
        if (actual > cost)
        {
            var debt = Math.Min(actual - cost, uint.MaxValue - Used(now));
            Take(now, debt);
            return -debt;
        }
        // An earlier window has been given back by its boundary.
        if (charge is not null && Start(charge.At) != Start(Seen(now)))
            return 0;
        var left = cost - actual;
        foreach (var taken in _history.Where(c => Counts(c, now)))
        {
            var back = Math.Min(left, taken.Kept);
            taken.Kept -= back;
            left -= back;
        }
        return cost - actual - left;
    }

    public override long Used(long now) => _history.Where(c => Counts(c, now)).Sum(c => c.Kept);

    public override long Remaining(long now) => Math.Max(0, Rule.Permits - Used(now));

    public override bool Fits(long now, long cost) => Used(now) + cost <= Rule.Permits;

    public override bool IsAsNeverUsed(long now) => Used(now) == 0;

    public override CounterModel Clone()
    {
        var clone = new FixedWindowModel(Rule);
        clone._history.AddRange(_history.Select(c => new ModelCharge(c.At, c.Kept)));
        return clone;
    }

    private bool Counts(ModelCharge charge, long now) => Start(charge.At) == Start(Seen(now));

    // Windows do not come back: an instant in an earlier window than the newest charge's belongs to that one.
    private long Seen(long now) => _history.Count == 0 ? now : Math.Max(now, _history.Max(c => c.At));

    private long Start(long micros) => _calendar is null ? micros / Rule.WindowMicros : _calendar.Start(micros);
}
