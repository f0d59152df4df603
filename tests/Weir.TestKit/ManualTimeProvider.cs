namespace Weir.TestKit;

/// <summary>
/// Time that moves only when told to. Its timestamp frequency is odd on purpose (neither a power of ten nor of two), so that code which
/// assumes nanoseconds or 100 ns ticks fails. Timers fire, in order, while time is advanced. Thread safe.
/// </summary>
public sealed class ManualTimeProvider : TimeProvider
{
    /// <summary>Ticks of the monotonic clock per second.</summary>
    public const long Frequency = 3_579_545;

    private readonly Lock _lock = new();
    private readonly List<ManualTimer> _timers = [];
    private DateTimeOffset _utc;
    private TimeSpan _monotonic = TimeSpan.FromHours(3);

    /// <summary>Starts at 2026-01-01T00:00:00Z unless told otherwise.</summary>
    public ManualTimeProvider(DateTimeOffset? start = null) => _utc = start ?? new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => Frequency;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
            return _utc;
    }

    public override long GetTimestamp()
    {
        lock (_lock)
            return (long)((Int128)_monotonic.Ticks * Frequency / TimeSpan.TicksPerSecond);
    }

    /// <summary>Lets time pass on both clocks and fires the timers that fall due.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(by.Ticks, nameof(by));
        TimeSpan end;
        lock (_lock)
            end = _monotonic + by;
        while (TakeDue(end) is { } timer)
            timer.Fire();
    }

    /// <summary>Lets time pass on both clocks while nobody runs, as when the process is stopped: timers fire late, with the next <see cref="Advance"/>.</summary>
    public void Suspend(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(by.Ticks, nameof(by));
        lock (_lock)
            MoveTo(_monotonic + by);
    }

    /// <summary>Steps the time of day alone, as an administrator or NTP would.</summary>
    public void StepSystemClock(TimeSpan by)
    {
        lock (_lock)
            _utc += by;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private ManualTimer? TakeDue(TimeSpan end)
    {
        lock (_lock)
        {
            var next = _timers.Where(t => t.Due <= end).MinBy(t => t.Due);
            MoveTo(next is null || next.Due < _monotonic ? (next is null ? end : _monotonic) : next.Due);
            next?.Reschedule(_timers);
            return next;
        }
    }

    private void MoveTo(TimeSpan monotonic)
    {
        _utc += monotonic - _monotonic;
        _monotonic = monotonic;
    }

    private sealed class ManualTimer(ManualTimeProvider owner, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;

        public TimeSpan Due { get; private set; }

        public void Fire() => callback(state);

        // Called with the owner's lock held.
        public void Reschedule(List<ManualTimer> timers)
        {
            // A timer that is late fires once, not once for every period that it missed.
            if (_period > TimeSpan.Zero)
                Due = Due + _period > owner._monotonic ? Due + _period : owner._monotonic + _period;
            else
                timers.Remove(this);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (owner._lock)
            {
                owner._timers.Remove(this);
                _period = period;
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    Due = owner._monotonic + dueTime;
                    owner._timers.Add(this);
                }
            }
            return true;
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
