namespace Weir;

/// <summary>
/// The time of decisions: microseconds since 1970 that never go back, but for a few between threads at the moment the rate is corrected. It runs on the
/// monotonic clock, so that a step of the system clock neither stops decisions nor gives permits away, and is drawn towards the system clock for the
/// sake of windows that are aligned to it.
/// </summary>
/// <remarks>
/// One reading costs one read of the monotonic clock. <see cref="Discipline"/> should be called about once a second. Behind the system clock by more
/// than <see cref="StepMicros"/> (the machine slept) it jumps forward; any other difference of 2 ms or more is worked off at 500 parts per
/// million, the rate at which system clocks themselves are corrected. Thread safe: readers see one immutable anchor.
/// </remarks>
public sealed class DecisionClock
{
    private const long MicrosPerSecond = 1_000_000;
    private const long SlewPartsPerMillion = 500;

    // A rate that is left on while the machine sleeps would lead far away, so it is only put on for a difference that matters.
    private const long CloseEnoughMicros = 2_000;

    /// <summary>A lead of the system clock beyond which the clock jumps: 1 second.</summary>
    public const long StepMicros = MicrosPerSecond;

    private readonly TimeProvider _time;
    private Anchor _anchor;

    /// <summary>A clock that starts at the provider's time of day.</summary>
    public DecisionClock(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        _time = time;
        _anchor = new Anchor(time.GetTimestamp(), SystemMicros(), time.TimestampFrequency, 0);
    }

    /// <summary>Now, in microseconds since 1970.</summary>
    public long NowMicros => Volatile.Read(ref _anchor).At(_time.GetTimestamp());

    /// <summary>Compares with the system clock and corrects the rate (or jumps forward, see the remarks).</summary>
    public void Discipline()
    {
        var stamp = _time.GetTimestamp();
        var now = _anchor.At(stamp);
        var behind = SystemMicros() - now;
        var slew = Math.Abs(behind) < CloseEnoughMicros ? 0 : Math.Sign(behind) * SlewPartsPerMillion;
        Volatile.Write(ref _anchor, behind > StepMicros
            ? new Anchor(stamp, now + behind, _time.TimestampFrequency, 0)
            : new Anchor(stamp, now, _time.TimestampFrequency, slew));
    }

    private long SystemMicros() => (_time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    private sealed class Anchor
    {
        private readonly long _stamp;
        private readonly long _micros;
        private readonly ulong _wholePerTick;
        private readonly ulong _fractionPerTick;

        public Anchor(long stamp, long micros, long frequency, long slewPartsPerMillion)
        {
            _stamp = stamp;
            _micros = micros;
            // Microseconds per tick as 64.64 fixed point: a multiplication instead of a division on every reading.
            var perTick = ((UInt128)(ulong)(MicrosPerSecond + slewPartsPerMillion) << 64) / (ulong)frequency;
            _wholePerTick = (ulong)(perTick >> 64);
            // Rounded up, so that a whole number of seconds is not one microsecond short.
            _fractionPerTick = (ulong)perTick + 1;
        }

        public long At(long stamp)
        {
            var ticks = (ulong)Math.Max(0, stamp - _stamp);
            return _micros + (long)(ticks * _wholePerTick + Math.BigMul(ticks, _fractionPerTick, out _));
        }
    }
}
