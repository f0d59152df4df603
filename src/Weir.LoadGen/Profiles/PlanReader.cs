namespace Weir.LoadGen.Profiles;

/// <summary>Follows a profile through time: what is asked now, and how much has been asked so far. Not thread safe; time must not go back.</summary>
internal sealed class PlanReader : IDisposable
{
    private readonly IEnumerator<Segment> _segments;
    private Segment _current;
    private double _before;

    /// <summary>Stands at the start of the profile.</summary>
    public PlanReader(Profile profile)
    {
        _segments = profile.Segments().GetEnumerator();
        _segments.MoveNext();
        _current = _segments.Current;
        MoveTo(0);
    }

    /// <summary>The asked rate, requests a second.</summary>
    public double Rate { get; private set; }

    /// <summary>What the load is doing.</summary>
    public Phase Phase => _current.Phase;

    /// <summary>Requests that have fallen due since the start.</summary>
    public double Due { get; private set; }

    /// <summary>Goes to an instant.</summary>
    /// <param name="seconds">From the start of the run. Beyond the end, the end is meant.</param>
    public void MoveTo(double seconds)
    {
        while (seconds >= _current.End && _segments.MoveNext())
        {
            _before += _current.Requests;
            _current = _segments.Current;
        }
        var at = Math.Min(seconds, _current.End);
        Rate = _current.RateAt(at);
        Due = _before + _current.RequestsUntil(at);
    }

    /// <inheritdoc />
    public void Dispose() => _segments.Dispose();
}
