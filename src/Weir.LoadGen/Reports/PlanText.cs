using Weir.LoadGen.Configuration;
using Weir.LoadGen.Profiles;
using Weir.LoadGen.Proof;
using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Reports;

/// <summary>Says what will be sent.</summary>
internal static class PlanText
{
    private const int MostSegments = 50;

    /// <summary>One sentence before a run.</summary>
    public static void WriteTitle(LoadConfig config, IReadOnlyList<Target> targets, Expectation? expectation, TextWriter output, int columns)
    {
        var first = $"{targets[0].Name}{(targets.Count > 1 ? $" and {targets.Count - 1} more" : "")}";
        Prose.Write(output, 0, $"weir load: {Load(config)} to {first}, keys: {config.Keys.Description}{(expectation is null ? "" : $", expecting {expectation.Promise}")}", columns);
        output.Flush();
    }

    /// <summary>The whole plan.</summary>
    public static void Write(LoadConfig config, TextWriter output)
    {
        output.WriteLine($"weir load: {Load(config)}");
        output.WriteLine($"  {config.Sending.Shape.Method} {config.Sending.Shape.Path.Text} to {string.Join(", ", config.Targets)}");
        output.WriteLine($"  keys: {config.Keys.Description}");
        output.WriteLine($"  at most {config.Sending.MaxInFlight:N0} in flight, {Times.Format(config.Sending.Timeout.TotalSeconds)} for an answer");
        if (config.IsClosed)
            return;
        output.WriteLine();
        var table = new TextTable().Add("phase", "from", "to", "rate/s", "requests");
        foreach (var segment in config.Profile.Segments().Take(MostSegments))
        {
            var requests = double.IsInfinity(segment.Requests) ? "without end" : $"{segment.Requests:N1}";
            table.Add(StatusLine.NameOf(segment.Phase), Instant(segment.Start), Instant(segment.End), RateOf(segment), requests);
        }
        table.Write(output, "  ");
        if (config.Profile.Segments().Skip(MostSegments).Any())
            output.WriteLine("  and so on");
        if (!double.IsInfinity(config.Profile.Planned))
            output.WriteLine($"  together {config.Profile.Planned:N0} requests");
    }

    private static string Load(LoadConfig config)
    {
        var time = double.IsInfinity(config.Profile.Duration) ? "until stopped" : $"for {Times.Format(config.Profile.Duration)}";
        if (config.IsClosed)
            return $"{config.Sending.MaxInFlight:N0} requests always in flight {time}";
        var first = config.Profile.Segments().Take(MostSegments).ToList();
        var steady = first.Find(static s => s.Phase == Phase.Steady) is { Length: > 0 } found ? found.StartRate : first[0].StartRate;
        return $"{Figures.Rate(steady)}/s{(config.Profile.PeakRate > steady ? $", up to {Figures.Rate(config.Profile.PeakRate)}/s," : "")} {time}";
    }

    private static string Instant(double seconds) => double.IsInfinity(seconds) ? "until stopped" : Times.Format(seconds);

    private static string RateOf(Segment segment) => segment.StartRate == segment.EndRate
        ? Figures.Rate(segment.StartRate)
        : $"{Figures.Rate(segment.StartRate)} to {Figures.Rate(segment.EndRate)}";
}
