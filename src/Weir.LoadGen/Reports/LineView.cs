using Weir.LoadGen.Measuring;
using Weir.LoadGen.Profiles;
using Weir.LoadGen.Running;

namespace Weir.LoadGen.Reports;

/// <summary>A line every ten seconds, for logs.</summary>
internal sealed class LineView(RunStats stats, Func<int> inFlight, int maxInFlight, bool isClosed, TextWriter output) : IRunView
{
    private const double LineSeconds = 10;

    private readonly Interval _interval = new(stats);
    private readonly List<TimelinePoint> _parts = [];
    private double _next = LineSeconds;

    /// <inheritdoc />
    public double RefreshSeconds => 1;

    /// <inheritdoc />
    public void Show(TimelinePoint point)
    {
        _parts.Add(point);
        if (point.End < _next)
            return;
        output.WriteLine(StatusLine.Of(_interval.Take(point.End), _parts, inFlight(), maxInFlight, isClosed));
        output.Flush();
        _parts.Clear();
        _next = Math.Floor((point.End / LineSeconds) + 1) * LineSeconds;
    }

    /// <inheritdoc />
    public void Show(double seconds, double rate, Phase phase)
    {
        // Lines tell of intervals, not of moments.
    }

    /// <inheritdoc />
    public void Drain(int inFlight, bool stopped)
    {
        if (stopped)
            output.WriteLine($"stopped: nothing more is sent, {inFlight:N0} in flight are awaited; a second signal ends at once");
    }

    /// <inheritdoc />
    public void End()
    {
    }
}
