using Weir.LoadGen.Profiles;

namespace Weir.LoadGen.Measuring;

/// <summary>
/// What happened second by second. One thread takes samples, any may read the points. After an hour neighbouring points are joined, again and again, so that
/// memory stays bounded: a joined point keeps the worse of the two latencies.
/// </summary>
internal sealed class Timeline : IDisposable
{
    /// <summary>Most points that are kept.</summary>
    public const int MostPoints = 3_600;

    // The last sample may come right after the one before; rates over so short a time would be spikes that never were.
    private const double ShortestSeconds = 0.5;

    private readonly Lock _lock = new();
    private readonly RunStats _stats;
    private readonly Func<int> _inFlight;
    private readonly PlanReader _plan;
    private readonly Interval _interval;
    private List<TimelinePoint> _points = [];
    private int _samplesPerPoint = 1;
    private int _samplesInLast = 1;
    private double _last;

    public Timeline(RunStats stats, Profile profile, Func<int> inFlight)
    {
        (_stats, _inFlight, _plan) = (stats, inFlight, new PlanReader(profile));
        _interval = new Interval(stats);
    }

    /// <summary>All points so far, oldest first.</summary>
    public IReadOnlyList<TimelinePoint> Points
    {
        get
        {
            lock (_lock)
                return [.. _points];
        }
    }

    /// <summary>Takes what happened since the sample before.</summary>
    /// <param name="seconds">Now, from the start of the run.</param>
    public TimelinePoint Sample(double seconds)
    {
        var asked = _plan.Due;
        // What was done in the middle is what was done: the ends lie a little beside the whole seconds at which phases change.
        _plan.MoveTo((_last + seconds) / 2);
        var phase = _plan.Phase;
        _plan.MoveTo(seconds);
        _last = seconds;
        var point = _interval.Take(seconds) with { Asked = _plan.Due - asked, Phase = phase, InFlight = _inFlight() };
        lock (_lock)
            Keep(point);
        return point;
    }

    /// <inheritdoc />
    public void Dispose() => _plan.Dispose();

    private void Keep(TimelinePoint point)
    {
        if (_points.Count > 0 && (_samplesInLast < _samplesPerPoint || point.Length < ShortestSeconds))
        {
            _points[^1] = _points[^1].Join(point);
            _samplesInLast++;
            return;
        }
        if (_points.Count == MostPoints)
        {
            _points = [.. _points.Chunk(2).Select(static pair => pair[0].Join(pair[1]))];
            _samplesPerPoint *= 2;
        }
        _points.Add(point);
        _samplesInLast = 1;
    }
}

/// <summary>What happened between two instants.</summary>
/// <param name="Start">Seconds from the start of the run.</param>
/// <param name="End">Seconds from the start of the run.</param>
/// <param name="Sent">Requests that left.</param>
/// <param name="Allowed">Answers.</param>
/// <param name="Limited">Answers.</param>
/// <param name="Failed">Failures.</param>
/// <param name="Skipped">Requests that did not leave.</param>
internal sealed record TimelinePoint(double Start, double End, long Sent, long Allowed, long Limited, long Failed, long Skipped)
{
    /// <summary>What the load did in the middle.</summary>
    public Phase Phase { get; init; }

    /// <summary>Requests that fell due.</summary>
    public double Asked { get; init; }

    /// <summary>Requests without an answer at the end.</summary>
    public int InFlight { get; init; }

    /// <summary>Response times of what was answered, in nanoseconds; all 0 when nothing was.</summary>
    public long P50 { get; init; }

    public long P90 { get; init; }

    public long P99 { get; init; }

    /// <summary>The greatest response time, as a histogram knows it: up to 0.79 % more.</summary>
    public long Greatest { get; init; }

    /// <summary>Seconds.</summary>
    public double Length => End - Start;

    /// <summary>Two neighbours as one.</summary>
    public TimelinePoint Join(TimelinePoint next) => this with
    {
        End = next.End,
        Sent = Sent + next.Sent,
        Allowed = Allowed + next.Allowed,
        Limited = Limited + next.Limited,
        Failed = Failed + next.Failed,
        Skipped = Skipped + next.Skipped,
        Asked = Asked + next.Asked,
        InFlight = next.InFlight,
        P50 = Math.Max(P50, next.P50),
        P90 = Math.Max(P90, next.P90),
        P99 = Math.Max(P99, next.P99),
        Greatest = Math.Max(Greatest, next.Greatest),
    };
}
