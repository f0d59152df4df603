using Weir.LoadGen.Configuration;
using Weir.LoadGen.Measuring;
using Weir.LoadGen.Profiles;
using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Reports;

/// <summary>What the live view shows at a moment.</summary>
/// <param name="Seconds">Since the start.</param>
/// <param name="Rate">What is asked for now, requests a second.</param>
/// <param name="Phase">What the load does now.</param>
/// <param name="InFlight">Requests without an answer.</param>
/// <param name="Points">The seconds so far, oldest first; the newest are enough.</param>
/// <param name="Draining">What to say instead of the time left; null while requests are sent.</param>
internal sealed record LiveMoment(double Seconds, double Rate, Phase Phase, int InFlight, IReadOnlyList<TimelinePoint> Points, string? Draining);

/// <summary>Draws the live view: a moment, as lines of text.</summary>
internal sealed class LiveFrame(LoadConfig config, IReadOnlyList<Target> targets, RunStats stats)
{
    private const int Widest = 110;
    private const int Label = 13;
    private const int MostTargets = 8;
    private const string Bars = "▁▂▃▄▅▆▇█";

    /// <summary>Draws for a terminal of a size: what has no room is left out from the bottom.</summary>
    public List<StyledLine> Draw(LiveMoment moment, int columns, int rows)
    {
        var width = Math.Min(columns, Widest);
        List<StyledLine> lines = [Head(moment, width), new(), Rates(moment), Schedule(), Spark("", moment, width, static p => p.Sent / Math.Max(p.Length, 1e-9), byPhase: true)];
        lines.AddRange(Outcomes(moment, width));
        lines.Add(new());
        lines.AddRange(Latencies(moment, width));
        lines.Add(new());
        lines.AddRange(Targets(width));
        return lines.Count < rows ? lines : lines[..Math.Max(1, rows - 1)];
    }

    private StyledLine Head(LiveMoment moment, int width)
    {
        var chip = moment.Phase switch { Phase.Burst => Style.BurstChip, Phase.Ramp => Style.RampChip, _ => Style.SteadyChip };
        var line = new StyledLine().Add("  ").Add($" {StatusLine.NameOf(moment.Phase)} ", chip).PadTo(Label);
        var duration = config.Profile.Duration;
        var time = moment.Draining
            ?? (double.IsInfinity(duration)
                ? $"{Times.Format(Math.Floor(moment.Seconds))}, until stopped"
                : $"{Times.Format(Math.Max(0, Math.Ceiling(duration - moment.Seconds)))} left of {Times.Format(duration)}");
        var room = width - line.Width - time.Length - 2;
        if (room >= 10)
        {
            var share = moment.Draining is not null ? 1 : double.IsInfinity(duration) ? 0 : Math.Clamp(moment.Seconds / duration, 0, 1);
            var full = (int)Math.Round(share * room);
            line.Add(new string('━', full), Style.Allowed).Add(new string('─', room - full), Style.Faint).Add("  ");
        }
        return line.Add(time, Style.Bold);
    }

    private StyledLine Rates(LiveMoment moment)
    {
        var last = moment.Points.Count > 0 ? moment.Points[^1] : null;
        var line = new StyledLine().Add("  rate", Style.Faint).PadTo(Label);
        if (!config.IsClosed)
            line.Add("asked ", Style.Faint).Add($"{Figures.Rate(moment.Draining is null ? moment.Rate : 0)}/s", Style.Bold).Add("   ");
        return line.Add(config.IsClosed ? "sent " : "reached ", Style.Faint).Add($"{(last is null ? "-" : $"{Figures.Rate(last.Sent / Math.Max(last.Length, 1e-9))}/s")}", Style.Bold)
            .Add("   in flight ", Style.Faint)
            .Add($"{moment.InFlight:N0} of {config.Sending.MaxInFlight:N0}", moment.InFlight >= config.Sending.MaxInFlight ? Style.Failed : Style.Plain);
    }

    // A closed loop has none, and keeps the line free.
    private StyledLine Schedule() => config.IsClosed ? new() : new StyledLine().Add("  schedule", Style.Faint).PadTo(Label)
        .Add("skipped ", Style.Faint).Add($"{stats.Skips:N0}", stats.Skips > 0 ? Style.Failed : Style.Plain)
        .Add("   lag, median ", Style.Faint).Add(Figures.Time(stats.Lag.Quantile(0.5)));

    private IEnumerable<StyledLine> Outcomes(LiveMoment moment, int width)
    {
        var last = moment.Points.Count > 0 ? moment.Points[^1] : null;
        yield return Outcome("allowed", stats.Outcomes.Allowed, last?.Allowed, last, width, Style.Allowed);
        yield return Outcome("limited", stats.Outcomes.Limited, last?.Limited, last, width, Style.Limited);
        yield return Outcome("failed", stats.Outcomes.Failed, last?.Failed, last, width, stats.Outcomes.Failed > 0 ? Style.Failed : Style.Faint);
    }

    private StyledLine Outcome(string name, long count, long? lastCount, TimelinePoint? last, int width, Style style)
    {
        const int bar = 50;
        var all = Math.Max(1, stats.Outcomes.All);
        var line = new StyledLine().Add($"  {name}", style).PadTo(Label - 2)
            .AddRight($"{count:N0}", Label + 12, Style.Bold).AddRight(Figures.Part(count, all), Label + 22)
            .AddRight(last is null ? "" : $"{Figures.Rate((lastCount ?? 0) / Math.Max(last.Length, 1e-9))}/s", Label + 34, Style.Faint).PadTo(bar);
        var room = width - bar;
        return room > 0 ? line.Add(new string('█', (int)Math.Round((double)room * count / all)), style) : line;
    }

    private IEnumerable<StyledLine> Latencies(LiveMoment moment, int width)
    {
        yield return Row("response", Style.Faint, "p50", "p90", "p99", "max");
        var last = moment.Points.Count > 0 ? moment.Points[^1] : null;
        yield return last is null or { P50: 0 }
            ? Row("last second", Style.Plain, "-", "-", "-", "-")
            : Row("last second", Style.Plain, Figures.Time(last.P50), Figures.Time(last.P90), Figures.Time(last.P99), Figures.Time(last.Greatest));
        var whole = stats.Latency.Response;
        yield return Row("whole run", Style.Plain,
            Figures.Time(whole.Quantile(0.5)), Figures.Time(whole.Quantile(0.9)), Figures.Time(whole.Quantile(0.99)), Figures.Time(whole.Greatest));
        yield return Spark("  p99", moment, width, static p => p.P99, byPhase: false);
    }

    private static StyledLine Row(string name, Style style, params string[] cells)
    {
        var line = new StyledLine().Add($"  {name}", style == Style.Plain ? Style.Faint : style).PadTo(Label);
        for (var i = 0; i < cells.Length; i++)
            line.AddRight(cells[i], Label + (12 * (i + 1)), style == Style.Plain ? Style.Bold : style);
        return line;
    }

    // The newest seconds, one letter each, up to the highest of them.
    private static StyledLine Spark(string name, LiveMoment moment, int width, Func<TimelinePoint, double> value, bool byPhase)
    {
        var line = new StyledLine().Add(name, Style.Faint).PadTo(Label);
        var shown = moment.Points.Skip(Math.Max(0, moment.Points.Count - (width - Label - 1))).ToList();
        var highest = shown.Count == 0 ? 0 : shown.Max(value);
        foreach (var point in shown)
        {
            var level = highest <= 0 ? 0 : (int)Math.Round(value(point) / highest * (Bars.Length - 1));
            var style = point.Phase switch { Phase.Burst => Style.Limited, Phase.Ramp => Style.RampMark, _ => Style.Allowed };
            line.Add(Bars[level].ToString(), byPhase ? style : Style.Faint);
        }
        return line;
    }

    private IEnumerable<StyledLine> Targets(int width)
    {
        var name = Math.Min(Math.Max(20, width - 60), 4 + targets.Max(static t => t.ShortName.Length));
        yield return new StyledLine().Add("  target", Style.Faint).AddRight("requests", name + 12, Style.Faint).AddRight("allowed", name + 24, Style.Faint)
            .AddRight("limited", name + 36, Style.Faint).AddRight("failed", name + 46, Style.Faint);
        foreach (var (target, of) in targets.Zip(stats.Targets).Take(MostTargets))
        {
            var failed = of.Outcomes.Failed;
            yield return new StyledLine().Add($"  {Cut(target.ShortName, name - 2)}")
                .AddRight($"{of.Outcomes.All:N0}", name + 12).AddRight($"{of.Outcomes.Allowed:N0}", name + 24, Style.Allowed)
                .AddRight($"{of.Outcomes.Limited:N0}", name + 36, Style.Limited).AddRight($"{failed:N0}", name + 46, failed > 0 ? Style.Failed : Style.Faint);
        }
        if (targets.Count > MostTargets)
            yield return new StyledLine().Add($"  and {targets.Count - MostTargets} more", Style.Faint);
    }

    // Names of nodes differ at their beginning or at their end.
    private static string Cut(string text, int most) => text.Length <= most ? text : $"{text[..(most / 2)]}…{text[^(most - (most / 2) - 1)..]}";
}
