namespace Weir.TestKit;

/// <summary>Leases in a list: one counts from when it was taken until its end, or until it was released.</summary>
public sealed class ConcurrencyModel(Rule rule) : CounterModel(rule)
{
    private sealed class LeaseEnd
    {
        public long At;
    }

    private readonly List<ModelCharge> _leases = [];
    private long _newest = long.MinValue;

    public override ModelCharge Take(long now, long cost)
    {
        _newest = Math.Max(_newest, now);
        var lease = new ModelCharge(now, cost) { Mark = new LeaseEnd { At = _newest + Rule.WindowMicros } };
        _leases.Add(lease);
        return lease;
    }

    public override long Settle(long now, long cost, ModelCharge? charge, long actual)
    {
        _newest = Math.Max(_newest, now);
        // A lease never grows.
        var wanted = Math.Max(0, cost - actual);
        var left = wanted;
        foreach (var lease in _leases.Where(l => Counts(l, now) && (charge is null || l == charge)).OrderBy(End))
        {
            var back = Math.Min(left, lease.Kept);
            lease.Kept -= back;
            left -= back;
        }
        return wanted - left;
    }

    /// <summary>Extends a lease to a whole lease time from now.</summary>
    /// <returns>False when it has ended or was released.</returns>
    public bool Renew(long now, ModelCharge lease)
    {
        _newest = Math.Max(_newest, now);
        if (!_leases.Contains(lease) || !Counts(lease, now) || lease.Kept == 0)
            return false;
        ((LeaseEnd)lease.Mark!).At = _newest + Rule.WindowMicros;
        // Among leases that end together the order of taking and renewing decides which is given back first.
        _leases.Remove(lease);
        _leases.Add(lease);
        return true;
    }

    public override long Used(long now) => _leases.Where(l => Counts(l, now)).Sum(l => l.Kept);

    public override long Remaining(long now) => Math.Max(0, Rule.Permits - Used(now));

    public override bool Fits(long now, long cost) => Used(now) + cost <= Rule.Permits;

    public override bool IsAsNeverUsed(long now) => Used(now) == 0;

    public override CounterModel Clone()
    {
        var clone = new ConcurrencyModel(Rule) { _newest = _newest };
        clone._leases.AddRange(_leases.Select(l => new ModelCharge(l.At, l.Kept) { Mark = new LeaseEnd { At = End(l) } }));
        return clone;
    }

    private bool Counts(ModelCharge lease, long now) => End(lease) > Math.Max(_newest, now);

    private static long End(ModelCharge lease) => ((LeaseEnd)lease.Mark!).At;
}
