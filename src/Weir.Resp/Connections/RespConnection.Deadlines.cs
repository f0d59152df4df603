namespace Weir.Resp;

/// <content>Deadlines: one coarse timer looks at everything that waits, and rests when nothing does.</content>
public sealed partial class RespConnection
{
    private const int TicksBeforeRest = 5;

    private readonly ITimer _timer;
    private readonly double _timestampsPerTick;
    private readonly long _stallTimestamps;

    // Guarded by the gate.
    private bool _isArmed;
    private int _idleTicks;

    private long _lastReceived;
    private long _waitingSince;

    // Of the timer alone.
    private int _isTicking;
    private long _lastTick;
    private long _awakeSince;

    private long ToTimestamps(TimeSpan duration) => (long)Math.Ceiling(duration.Ticks * _timestampsPerTick);

    private void ArmLocked()
    {
        if (_isArmed)
            return;
        _isArmed = true;
        _timer.Change(_options.DeadlineResolution, _options.DeadlineResolution);
    }

    private void Tick()
    {
        // Timers may overlap when the machine is busy; one look at a time is enough.
        if (Interlocked.Exchange(ref _isTicking, 1) == 1)
            return;
        var now = _time.GetTimestamp();
        var (head, tail) = (Volatile.Read(ref _head), Volatile.Read(ref _tail));
        for (var i = head; i < tail; i++)
            _queue[i & (_queue.Length - 1)]?.TryExpire(now);
        if (head < tail)
            EndIfStalled(now);
        _lastTick = now;
        RestIfIdle(head < tail);
        Volatile.Write(ref _isTicking, 0);
    }

    private void EndIfStalled(long now)
    {
        // When this process itself stood still, the reply may lie in the socket already: that time says nothing about the server.
        if (now - _lastTick > _stallTimestamps / 2)
            _awakeSince = now;
        var quietSince = Math.Max(Math.Max(Volatile.Read(ref _lastReceived), Volatile.Read(ref _waitingSince)), _awakeSince);
        if (now - quietSince > _stallTimestamps)
            End(RespCause.Stalled);
    }

    private void RestIfIdle(bool isBusy)
    {
        lock (_gate)
        {
            _idleTicks = isBusy || Pending > 0 ? 0 : _idleTicks + 1;
            if (_idleTicks < TicksBeforeRest || !_isArmed)
                return;
            _idleTicks = 0;
            _isArmed = false;
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }
}
