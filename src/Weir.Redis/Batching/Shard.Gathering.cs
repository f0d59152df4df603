namespace Weir.Redis;

/// <content>Gathering: under load an operation waits until others have come, or for a beat or two, so that they share the cost of a script.</content>
internal sealed partial class Shard
{
    // With fewer about, a script costs less than the wait; with more together, it costs hardly less per operation.
    private const int LeastCrowd = 16;
    private const int MostCompany = 48;

    // Guarded by the gate. Decisions that waited or were under way at the same time, lately.
    private int _crowd;
    private bool _isGathering;
    private bool _wasSent;
    private bool _isDue;

    // How many operations have to wait before they are sent: three quarters of the crowd, so that most share a script while a few are under way. Callers on the pool
    // need no such rule: they come while the pump is on its way over the pool.
    private int CompanyLocked => _crowd < LeastCrowd || !_engine.Options.StaysInPlace ? 1 : Math.Min(_crowd * 3 / 4, MostCompany);

    /// <summary>Sends what has waited since the beat before, when nothing was sent meanwhile.</summary>
    /// <returns>Whether beats are still wanted.</returns>
    public bool Beat()
    {
        Pump? due = null;
        lock (_gate)
        {
            if (!_isGathering)
                return false;
            if (!_wasSent)
            {
                _crowd = CountCrowdLocked();
                due = _waiting > 0 ? TakeRestingLocked() : null;
                _isDue = due is not null;
            }
            _wasSent = false;
            _isGathering = CompanyLocked > 1 || _waiting > 0;
        }
        due?.Wake();
        return true;
    }

    // Whether what waits is to be sent now. If not, there will be a beat.
    private bool IsTimeLocked()
    {
        _crowd = Math.Max(CountCrowdLocked(), _crowd - (_crowd / 8));
        var isTime = _isDue || _waiting >= CompanyLocked;
        if (!isTime)
            return false;
        (_isDue, _wasSent) = (false, true);
        return true;
    }

    // A batch that is just being answered counts for what is left of it.
    private int CountCrowdLocked()
    {
        var crowd = _waiting;
        foreach (var pump in _pumps)
            crowd += pump.Batch.Decisions;
        return crowd;
    }

    private Pump? TakeRestingLocked()
    {
        var pump = _resting;
        _resting = pump?.NextResting;
        return pump;
    }
}
