namespace Weir.TestKit;

/// <summary>The memory engine on manual time.</summary>
public sealed class MemoryTestEngine : TestEngine
{
    private const long TenMinutes = 10L * 60 * 1_000_000;

    private readonly ManualTimeProvider _time;
    private readonly MemoryEngine _engine;

    public MemoryTestEngine(MemoryEngineOptions? options = null, DateTimeOffset? start = null)
    {
        _time = new ManualTimeProvider(start);
        _engine = new MemoryEngine(options ?? new MemoryEngineOptions { SweepInterval = TimeSpan.FromMinutes(1) }, _time);
    }

    public override ILimiter Limiter => _engine;

    public override long NowMicros => _engine.Clock.NowMicros;

    public override bool DecidesAtAnyInstant => true;

    public override void AdvanceTo(long micros)
    {
        // The sweeps of a long time are all alike: fire the last of them.
        if (micros - NowMicros > TenMinutes)
            SuspendUntil(micros - TenMinutes);
        Move(micros, _time.Advance);
    }

    public override void SuspendUntil(long micros)
    {
        Move(micros, _time.Suspend);
        // After a long time at a rate that is a little off, the engine's clock would jump to the system's, past the instant that a test waits for.
        _time.StepSystemClock(DateTimeOffset.UnixEpoch.AddTicks(NowMicros * TimeSpan.TicksPerMicrosecond) - _time.GetUtcNow());
    }

    public override void Tidy() => _engine.Sweep();

    public override Decision DecideAt(in Charge charge, long nowMicros) => _engine.Decide(charge, nowMicros);

    public override void Dispose() => _engine.Dispose();

    // The engine's clock may run 500 parts per million fast, and shows whole microseconds of a time that passes in ticks of its own:
    // approach the instant from below and take the last steps one by one.
    private void Move(long micros, Action<TimeSpan> pass)
    {
        for (var left = micros - NowMicros; left > 0; left = micros - NowMicros)
            pass(TimeSpan.FromTicks(Math.Max(1, (left - (left / 1000) - 1) * TimeSpan.TicksPerMicrosecond)));
        if (NowMicros != micros)
            throw new InvalidOperationException($"The clock shows {NowMicros} and should show {micros}.");
    }
}
