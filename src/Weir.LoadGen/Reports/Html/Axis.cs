namespace Weir.LoadGen.Reports.Html;

/// <summary>Where values lie along an axis, and which of them are labelled.</summary>
internal sealed class Axis
{
    private const int LabelledValues = 5;

    // Where the axis of a distribution runs to: 99.999 %.
    private const double MostNines = 5;

    private readonly Func<double, double> _scale;
    private readonly double _low;
    private readonly double _high;

    private Axis(Func<double, double> scale, double low, double high, IReadOnlyList<(double Value, string Label)> labels) =>
        (_scale, _low, _high, Labels) = (scale, scale(low), scale(high), labels);

    /// <summary>The values to label, and their labels.</summary>
    public IReadOnlyList<(double Value, string Label)> Labels { get; }

    /// <summary>From 0 to the next round value above the greatest.</summary>
    public static Axis Linear(double greatest, Func<double, string> label)
    {
        var step = RoundStep(Math.Max(greatest, 1e-9) / LabelledValues);
        var count = (int)Math.Ceiling((greatest / step) - 1e-9);
        return new Axis(static v => v, 0, Math.Max(1, count) * step, [.. Enumerable.Range(0, Math.Max(1, count) + 1).Select(i => (i * step, label(i * step)))]);
    }

    /// <summary>Logarithmic, between round values around the least and the greatest.</summary>
    public static Axis Logarithmic(double least, double greatest, Func<double, string> label)
    {
        var low = Below(least);
        var high = -Below(-Math.Max(greatest, least * 2));
        var labels = new List<(double, string)>();
        var wide = Math.Log10(high / low) > 3;
        for (var decade = Math.Pow(10, Math.Floor(Math.Log10(low) + 1e-9)); decade <= high * 1.0001; decade *= 10)
        {
            foreach (var part in wide ? [1.0] : new[] { 1.0, 2, 5 })
            {
                if (decade * part >= low * 0.9999 && decade * part <= high * 1.0001)
                    labels.Add((decade * part, label(decade * part)));
            }
        }
        return new Axis(Math.Log10, low, high, labels);
    }

    /// <summary>Seconds of a run.</summary>
    public static Axis Time(double seconds)
    {
        double[] steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400, 432_000];
        var step = steps.FirstOrDefault(s => seconds / s <= 12, steps[^1]);
        return new Axis(static v => v, 0, seconds, [.. Enumerable.Range(0, (int)(seconds / step) + 1).Select(i => (i * step, TimeLabel(i * step)))]);
    }

    /// <summary>Shares of all requests, so that each further nine takes the same room: what is rare is what matters.</summary>
    public static Axis Nines() => new(Nines, 0, 1 - Math.Pow(10, -MostNines),
        [(0, "fastest"), (0.5, "50 %"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %"), (0.9999, "99.99 %"), (0.99999, "99.999 %")]);

    /// <summary>Where a value lies, from 0 to 1.</summary>
    public double At(double value) => Math.Clamp((_scale(value) - _low) / (_high - _low), 0, 1);

    private static double Nines(double share) => share >= 1 ? MostNines : Math.Min(MostNines, -Math.Log10(1 - share));

    private static string TimeLabel(double seconds) => seconds < 120 ? $"{seconds:0.#} s" : seconds < 7_200 ? $"{seconds / 60:0.#} min" : $"{seconds / 3_600:0.#} h";

    private static double RoundStep(double step)
    {
        var decade = Math.Pow(10, Math.Floor(Math.Log10(step)));
        return (step / decade) switch { <= 1.0001 => 1, <= 2.0001 => 2, <= 2.5001 => 2.5, <= 5.0001 => 5, _ => 10 } * decade;
    }

    // The next of 1, 2, 5, 10, 20, ... at or below a value; for negative ones, mirrored, at or above its amount.
    private static double Below(double value)
    {
        var amount = Math.Abs(value);
        var decade = Math.Pow(10, Math.Floor(Math.Log10(amount)));
        double[] parts = [1, 2, 5, 10];
        return value >= 0
            ? decade * parts.Last(p => p <= (amount / decade) + 1e-9)
            : -decade * parts.First(p => p >= (amount / decade) - 1e-9);
    }
}
