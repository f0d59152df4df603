using System.Globalization;
using Weir.LoadGen.Measuring;
using Weir.LoadGen.Profiles;
using Weir.LoadGen.Running;

namespace Weir.LoadGen.Reports.Html;

/// <summary>The plots of a run.</summary>
internal sealed class Charts
{
    /// <summary>Targets that are drawn; more lines could not be told apart.</summary>
    public const int MostTargets = 8;

    private const int MostPoints = 600;
    private static readonly double[] Shares =
        [0, .1, .2, .3, .4, .5, .6, .7, .75, .8, .85, .9, .925, .95, .975, .98, .99, .995, .998, .999, .9995, .9998, .9999, .99995, .99999];

    private readonly RunResult _run;
    private readonly List<TimelinePoint> _points;
    private readonly Axis _time;

    public Charts(RunResult run)
    {
        _run = run;
        var each = Math.Max(1, (run.Points.Count + MostPoints - 1) / MostPoints);
        _points = [.. run.Points.Chunk(each).Select(static c => c.Aggregate(static (a, b) => a.Join(b)))];
        _time = Axis.Time(Math.Max(run.Points.Count == 0 ? 0 : run.Points[^1].End, 0.1));
    }

    /// <summary>Whether the phase ever is one.</summary>
    public bool Has(Phase phase) => _points.Any(p => p.Phase == phase);

    /// <summary>Whether anything was answered, so that there are latencies to draw.</summary>
    public bool HasLatencies => _run.Stats.Latency.Response.Count > 0;

    /// <summary>Outcomes a second, one upon the other, and what was asked for.</summary>
    public string Rates()
    {
        var highest = _points.Count == 0 ? 1 : _points.Max(static p => Math.Max(p.Asked, p.Allowed + p.Limited + p.Failed) / Math.Max(p.Length, 1e-9));
        var up = Axis.Linear(highest, static v => v.ToString(v < 10 ? "0.##" : "N0", CultureInfo.InvariantCulture));
        var plot = new Plot(_time, up, "Requests per second over time, by outcome");
        Bands(plot);
        plot.Area(Stack(static _ => 0, static p => p.Allowed), "stack a-allowed");
        plot.Area(Stack(static p => p.Allowed, static p => p.Limited), "stack a-limited");
        plot.Area(Stack(static p => p.Allowed + p.Limited, static p => p.Failed), "stack a-failed");
        if (!_run.Config.IsClosed)
            plot.Steps(_points.Select(static p => (p.Start, p.End, p.Asked / Math.Max(p.Length, 1e-9))), "l-asked");
        foreach (var p in _points)
            plot.Tip((p.Start + p.End) / 2, RateTip(p));
        return plot.Render();
    }

    /// <summary>Response times over time.</summary>
    public string Latencies()
    {
        var answered = _points.Where(static p => p.P50 > 0).ToList();
        var up = Axis.Logarithmic(answered.Min(static p => p.P50), answered.Max(static p => p.Greatest), Nanos);
        var plot = new Plot(_time, up, "Response time over time, logarithmic");
        Bands(plot);
        Over(plot, static p => p.Greatest, "l-q4");
        Over(plot, static p => p.P50, "l-q1");
        Over(plot, static p => p.P90, "l-q2");
        Over(plot, static p => p.P99, "l-q3");
        foreach (var p in _points)
            plot.Tip((p.Start + p.End) / 2, LatencyTip(p));
        return plot.Render();
    }

    /// <summary>For each target, how long requests took of which each further nine is rarer.</summary>
    public string Distributions()
    {
        var targets = _run.Stats.Targets.Take(MostTargets).Select(static t => t.Sum().Response).ToList();
        var any = targets.Where(static h => h.Count > 0).ToList();
        var up = Axis.Logarithmic(Math.Max(1, any.Min(static h => h.Least)), any.Max(static h => h.Greatest), Nanos);
        var plot = new Plot(Axis.Nines(), up, "Distribution of the response time by target, logarithmic");
        for (var i = 0; i < targets.Count; i++)
        {
            var histogram = targets[i];
            // Beyond one request in all there is nothing to tell.
            var known = Shares.Where(s => histogram.Count > 0 && (1 - s) * histogram.Count >= 1).Append(1 - (1.0 / Math.Max(1, histogram.Count)));
            plot.Line(known.Order().Select(s => ((double, double)?)(s, Math.Max(1, histogram.Quantile(s)))), $"l-s{i}");
        }
        foreach (var share in Shares)
        {
            var lines = _run.Targets.Zip(targets, (t, h) => $"{Figures.Time(h.Quantile(share))}  {t.Name}");
            plot.Tip(share, $"{share * 100:0.###} % of requests took at most\n{string.Join('\n', lines)}");
        }
        return plot.Render();
    }

    private void Bands(Plot plot)
    {
        // More bands than points would be narrower than a line.
        var segments = _run.Config.Profile.Segments().TakeWhile(s => s.Start < _run.Seconds).Take(MostPoints + 1).ToList();
        foreach (var segment in segments.Count > MostPoints ? [] : segments)
        {
            if (segment.Phase != Phase.Steady)
                plot.Band(segment.Start, Math.Min(segment.End, _run.Seconds), segment.Phase == Phase.Burst ? "band-burst" : "band-ramp");
        }
    }

    private List<(double, double, double, double)> Stack(Func<TimelinePoint, long> below, Func<TimelinePoint, long> count) =>
        [.. _points.Select(p => (p.Start, p.End, below(p) / Math.Max(p.Length, 1e-9), (below(p) + count(p)) / Math.Max(p.Length, 1e-9)))];

    private void Over(Plot plot, Func<TimelinePoint, long> value, string style) =>
        plot.Line(_points.Select(p => value(p) > 0 ? ((double, double)?)((p.Start + p.End) / 2, value(p)) : null), style);

    private string RateTip(TimelinePoint p) => $"{Range(p)}  {StatusLine.NameOf(p.Phase)}\n"
        + (_run.Config.IsClosed ? "" : $"asked {Rate(p.Asked, p)}\n")
        + $"sent {Rate(p.Sent, p)}\nallowed {Rate(p.Allowed, p)}\nlimited {Rate(p.Limited, p)}\nfailed {Rate(p.Failed, p)}"
        + (p.Skipped > 0 ? $"\nskipped {p.Skipped:N0}" : "");

    private static string LatencyTip(TimelinePoint p) => p.P50 == 0
        ? $"{Range(p)}\nno answer"
        : $"{Range(p)}  {StatusLine.NameOf(p.Phase)}\np50 {Figures.Time(p.P50)}\np90 {Figures.Time(p.P90)}\np99 {Figures.Time(p.P99)}\nmax {Figures.Time(p.Greatest)}";

    private static string Range(TimelinePoint p) => $"{p.Start:0.#} to {p.End:0.#} s";

    private static string Rate(double count, TimelinePoint p) => $"{Figures.Rate(Math.Round(count / Math.Max(p.Length, 1e-9), 1))}/s";

    private static string Nanos(double nanos) => nanos >= 1e9 ? $"{nanos / 1e9:0.###} s" : nanos >= 1e6 ? $"{nanos / 1e6:0.###} ms" : $"{nanos / 1e3:0.###} µs";
}
