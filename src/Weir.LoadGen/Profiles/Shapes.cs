namespace Weir.LoadGen.Profiles;

/// <summary>The shapes of which profiles are made. Each begins at 0; <see cref="Sequence"/> puts them one after the other.</summary>
internal static class Shapes
{
    /// <summary>The same rate all the time.</summary>
    public static Segment[] Constant(double rate, double seconds) => [new Segment(0, seconds, rate, rate, Phase.Steady)];

    /// <summary>From one rate to another.</summary>
    public static Segment[] Ramp(double from, double to, double seconds) => [new Segment(0, seconds, from, to, Phase.Ramp)];

    /// <summary>A rate, and for a while, once, another.</summary>
    public static Segment[] Spike(double rate, double to, double after, double length, double seconds) =>
        [.. WithoutEmpty(
            new Segment(0, after, rate, rate, Phase.Steady),
            new Segment(after, after + length, to, to, Phase.Burst),
            new Segment(after + length, seconds, rate, rate, Phase.Steady))];

    /// <summary>From one rate to another in equal steps, each as long as the others; the first step has the first rate and the last step the last.</summary>
    public static Segment[] Steps(double from, double to, int steps, double seconds)
    {
        var segments = new Segment[steps];
        for (var i = 0; i < steps; i++)
        {
            var rate = steps == 1 ? to : from + ((to - from) * i / (steps - 1));
            segments[i] = new Segment(seconds * i / steps, seconds * (i + 1) / steps, rate, rate, Phase.Steady);
        }
        return segments;
    }

    /// <summary>A ramp from nothing to a rate, then that rate; the rate of the moment is multiplied in every burst.</summary>
    /// <param name="rate">Requests a second after the ramp.</param>
    /// <param name="rampSeconds">Length of the ramp; 0 for none.</param>
    /// <param name="bursts">When to multiply, or null.</param>
    /// <param name="seconds">Length of the whole; infinity goes on until it is stopped.</param>
    public static Profile RampAndBursts(double rate, double rampSeconds, Bursts? bursts, double seconds)
    {
        // A run without end repeats its bursts, so the ramp is cut out with the bursts that fall into it and what follows becomes a cycle.
        var prefix = !double.IsInfinity(seconds) ? seconds
            : bursts is null ? rampSeconds
            : Math.Max(1, Math.Ceiling(rampSeconds / bursts.Interval)) * bursts.Interval;
        var segments = Cut(rate, rampSeconds, bursts, 0, prefix);
        if (!double.IsInfinity(seconds))
            return new Profile(segments);
        return bursts is null
            ? new Profile([.. segments, new Segment(prefix, double.PositiveInfinity, rate, rate, Phase.Steady)])
            : new Profile(segments, Cut(rate, rampSeconds, bursts, prefix, prefix + bursts.Interval));
    }

    /// <summary>Shapes one after the other.</summary>
    public static Profile Sequence(IEnumerable<Segment[]> shapes)
    {
        var all = new List<Segment>();
        foreach (var shape in shapes)
        {
            var start = all.Count == 0 ? 0 : all[^1].End;
            all.AddRange(shape.Select(s => s.Later(start)));
        }
        return new Profile(all);
    }

    // Between two neighbouring breaks the rate is one straight line.
    private static List<Segment> Cut(double rate, double ramp, Bursts? bursts, double from, double to)
    {
        var breaks = new SortedSet<double> { from, to };
        if (ramp > from && ramp < to)
            breaks.Add(ramp);
        if (bursts is not null)
        {
            for (var start = Math.Max(1, Math.Floor(from / bursts.Interval)) * bursts.Interval; start < to; start += bursts.Interval)
            {
                Between(breaks, start, from, to);
                Between(breaks, start + bursts.Length, from, to);
            }
        }
        var points = breaks.ToArray();
        var segments = new List<Segment>(points.Length);
        for (var i = 1; i < points.Length; i++)
            segments.Add(Piece(rate, ramp, bursts, points[i - 1], points[i]));
        return segments;
    }

    private static void Between(SortedSet<double> breaks, double at, double from, double to)
    {
        if (at > from && at < to)
            breaks.Add(at);
    }

    private static Segment Piece(double rate, double ramp, Bursts? bursts, double from, double to)
    {
        var middle = (from + to) / 2;
        var burst = bursts is not null && bursts.Covers(middle);
        var factor = burst ? bursts!.Multiplier : 1;
        var phase = burst ? Phase.Burst : middle < ramp ? Phase.Ramp : Phase.Steady;
        return new Segment(from, to, factor * Base(rate, ramp, from), factor * Base(rate, ramp, to), phase);
    }

    private static double Base(double rate, double ramp, double at) => at >= ramp ? rate : rate * at / ramp;

    private static IEnumerable<Segment> WithoutEmpty(params Segment[] segments) => segments.Where(static s => s.Length > 0);
}

/// <summary>Bursts that come again and again; the first after one whole interval.</summary>
/// <param name="Multiplier">What the rate is multiplied by.</param>
/// <param name="Interval">Seconds from the start of one to the start of the next.</param>
/// <param name="Length">Seconds that each lasts; less than the interval.</param>
internal sealed record Bursts(double Multiplier, double Interval, double Length)
{
    /// <summary>Whether an instant lies in a burst.</summary>
    public bool Covers(double seconds) => seconds >= Interval && seconds % Interval < Length;
}
