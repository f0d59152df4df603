namespace Weir.LoadGen.Scheduling;

/// <summary>Time of a run: nanoseconds of the monotonic clock since the run began. Safe for many threads.</summary>
internal sealed class RunClock
{
    private const long NanosPerSecond = 1_000_000_000;

    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly long _frequency;

    /// <summary>Begins now, or a little later, so that what is made meanwhile delays nothing; time is negative until then.</summary>
    public RunClock(TimeProvider time, TimeSpan startsIn = default)
    {
        _time = time;
        _frequency = time.TimestampFrequency;
        StartedAt = time.GetUtcNow() + startsIn;
        _start = time.GetTimestamp() + (long)(startsIn.TotalSeconds * _frequency);
    }

    /// <summary>The time of day at which the run began.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>Nanoseconds since the run began.</summary>
    public long Nanos => _time.GetTimestamp() - _start is var ticks && _frequency == NanosPerSecond
        ? ticks
        : (long)((Int128)ticks * NanosPerSecond / _frequency);

    /// <summary>Seconds since the run began.</summary>
    public double Seconds => Nanos / (double)NanosPerSecond;

    /// <summary>Seconds as nanoseconds.</summary>
    public static long ToNanos(double seconds) => (long)(seconds * NanosPerSecond);
}
