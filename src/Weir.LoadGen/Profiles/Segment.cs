namespace Weir.LoadGen.Profiles;

/// <summary>A stretch of time in which the asked rate changes evenly, or not at all.</summary>
/// <param name="Start">Seconds from the start of the run.</param>
/// <param name="End">Seconds from the start of the run; infinity where the run goes on until it is stopped.</param>
/// <param name="StartRate">Requests a second at the start, 0 or more.</param>
/// <param name="EndRate">Requests a second at the end; equal to <paramref name="StartRate"/> where the segment has no end.</param>
/// <param name="Phase">What to call it.</param>
internal readonly record struct Segment(double Start, double End, double StartRate, double EndRate, Phase Phase)
{
    /// <summary>Seconds from start to end.</summary>
    public double Length => End - Start;

    /// <summary>Requests that fall due in it: the integral of the rate.</summary>
    public double Requests => double.IsInfinity(End) ? (StartRate > 0 ? double.PositiveInfinity : 0) : (StartRate + EndRate) / 2 * Length;

    private double Slope => double.IsInfinity(End) ? 0 : (EndRate - StartRate) / Length;

    /// <summary>The asked rate at an instant inside the segment.</summary>
    public double RateAt(double seconds) => StartRate + (Slope * (seconds - Start));

    /// <summary>Requests that have fallen due since the segment's start.</summary>
    public double RequestsUntil(double seconds)
    {
        var passed = Math.Clamp(seconds - Start, 0, Length);
        return (StartRate + (Slope * passed / 2)) * passed;
    }

    /// <summary>The instant at which <paramref name="requests"/> have fallen due since the segment's start.</summary>
    public double TimeOf(double requests)
    {
        if (requests <= 0)
            return Start;
        // The quadratic formula in the form that loses no digits when the slope is small, and that is requests / rate when it is 0.
        var root = Math.Sqrt(Math.Max(0, (StartRate * StartRate) + (2 * Slope * requests)));
        return Math.Min(End, Start + (2 * requests / (StartRate + root)));
    }

    /// <summary>The same stretch, later.</summary>
    public Segment Later(double seconds) => this with { Start = Start + seconds, End = End + seconds };
}
