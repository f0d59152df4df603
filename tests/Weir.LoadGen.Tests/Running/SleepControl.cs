using Weir.LoadGen.Scheduling;

namespace Weir.LoadGen.Tests.Running;

/// <summary>
/// Sleeps beside a run, a millisecond at a time, as the schedule does, and tells how late this machine wakes threads. What holds no thread of ours up cannot be blamed on
/// the schedule, and what does says nothing about it.
/// </summary>
internal sealed class SleepControl : IDisposable
{
    private const long NapNanos = 1_000_000;

    private readonly List<double> _lateMs = [];
    private readonly Thread _thread;
    private volatile bool _over;

    public SleepControl()
    {
        _thread = new Thread(Sleep) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>Skips the test if threads woke later than it can bear. Ends the control.</summary>
    /// <param name="medianMs">How late they may be in the median.</param>
    /// <param name="worstMs">How late the worst may be.</param>
    public void SkipIfLate(double medianMs, double worstMs)
    {
        Dispose();
        _lateMs.Sort();
        var (median, worst) = (_lateMs[_lateMs.Count / 2], _lateMs[^1]);
        Assert.SkipWhen(median > medianMs || worst > worstMs,
            $"This machine wakes sleeping threads too late for it: {median:0.00} ms in the median and {worst:0.0} ms at worst, where {medianMs} and {worstMs} are borne.");
    }

    public void Dispose()
    {
        _over = true;
        _thread.Join();
    }

    private void Sleep()
    {
        var (pause, clock) = (Pause.Create(), new RunClock(TimeProvider.System));
        do
        {
            var before = clock.Nanos;
            pause.For(NapNanos);
            _lateMs.Add((clock.Nanos - before - NapNanos) / 1e6);
        }
        while (!_over);
    }
}
