namespace Weir.LoadGen.Profiles;

/// <summary>The asked rate over the whole run: segments one after the other without gaps. Immutable.</summary>
internal sealed class Profile
{
    // Sums of fractions end a hair beside whole numbers; a request is not due because of that.
    private const double Hair = 1e-6;

    private readonly Segment[] _segments;
    private readonly Segment[] _cycle;

    /// <summary>A profile of given segments, of which the last may have no end.</summary>
    public Profile(IReadOnlyList<Segment> segments)
        : this(segments, [])
    {
    }

    /// <summary>A profile that goes on until it is stopped: segments, then a cycle that comes again and again.</summary>
    public Profile(IReadOnlyList<Segment> segments, IReadOnlyList<Segment> cycle)
    {
        _segments = [.. segments];
        _cycle = [.. cycle];
    }

    /// <summary>Seconds from the first request to the end; infinity for a run that goes on until it is stopped.</summary>
    public double Duration => _cycle.Length > 0 ? double.PositiveInfinity : _segments[^1].End;

    /// <summary>The highest rate that is asked for.</summary>
    public double PeakRate => _segments.Concat(_cycle).Max(static s => Math.Max(s.StartRate, s.EndRate));

    /// <summary>Requests of the whole run; infinity for a run that goes on until it is stopped.</summary>
    public double Planned => double.IsInfinity(Duration) ? double.PositiveInfinity : Math.Ceiling(_segments.Sum(static s => s.Requests) - Hair);

    /// <summary>All segments in order; without end for a run that goes on until it is stopped.</summary>
    public IEnumerable<Segment> Segments()
    {
        foreach (var segment in _segments)
            yield return segment;
        if (_cycle.Length == 0)
            yield break;
        var length = _cycle[^1].End - _cycle[0].Start;
        for (var round = 0L; ; round++)
        {
            foreach (var segment in _cycle)
                yield return segment.Later(round * length);
        }
    }

    /// <summary>The instants at which requests are due: the k-th where the integral of the rate reaches k, the first at the start.</summary>
    public IEnumerable<Arrival> Arrivals()
    {
        var next = 0L;
        var before = 0.0;
        foreach (var segment in Segments())
        {
            var until = before + segment.Requests - Hair;
            for (; next < until; next++)
                yield return new Arrival(segment.TimeOf(next - before), segment.Phase);
            before += segment.Requests;
        }
    }
}

/// <summary>A request that is due.</summary>
/// <param name="Seconds">When, from the start of the run.</param>
/// <param name="Phase">What the load does then.</param>
internal readonly record struct Arrival(double Seconds, Phase Phase);
