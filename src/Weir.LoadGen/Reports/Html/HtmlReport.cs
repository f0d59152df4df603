using System.Net;
using System.Reflection;
using System.Text;
using Weir.LoadGen.Configuration;
using Weir.LoadGen.Profiles;
using Weir.LoadGen.Proof;
using Weir.LoadGen.Running;

namespace Weir.LoadGen.Reports.Html;

/// <summary>The report for people: one page that needs nothing else.</summary>
internal sealed partial class HtmlReport
{
    private readonly StringBuilder _page = new();
    private readonly RunResult _run;
    private readonly Charts _charts;

    private HtmlReport(RunResult run) => (_run, _charts) = (run, new Charts(run));

    /// <summary>The text of the file.</summary>
    public static string Of(RunResult run)
    {
        var report = new HtmlReport(run);
        report.Write();
        return report._page.ToString();
    }

    private void Write()
    {
        Raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        Raw($"<title>Load report: {Text(Title())}</title><style>\n{Resource("report.css")}</style></head><body><main>\n");
        Raw($"<header><h1>Load report</h1><p class=\"sub\">{Text(Title())}</p></header>\n");
        Verdicts();
        Tiles();
        Raw("<section class=\"card\"><h2>Requests per second<small>what was answered in each second, and what was asked for</small></h2>");
        Legend(_run.Config.IsClosed ? "" : "asked dash", "allowed", "limited", _run.Stats.Outcomes.Failed > 0 ? "failed" : "",
            _charts.Has(Phase.Burst) ? "burst" : "", _charts.Has(Phase.Ramp) ? "ramp" : "");
        Raw(_charts.Rates() + "</section>\n");
        if (_charts.HasLatencies)
        {
            Raw("<section class=\"card\"><h2>Response time<small>from the planned start, so that a stalled server cannot hide</small></h2>");
            LegendOf(("p50", "q1 line"), ("p90", "q2 line"), ("p99", "q3 line"), ("longest", "q4 line"));
            Raw(_charts.Latencies() + "</section>\n");
            Raw("<section class=\"card\"><h2>Distribution by target<small>how long requests took; to the right, the rarer ones</small></h2>");
            LegendOf([.. _run.Targets.Take(Charts.MostTargets).Select(static (t, i) => (t.Name, $"s{i} line"))]);
            Raw(_charts.Distributions() + "</section>\n");
        }
        Tables();
        Raw("<footer>Written by weir load. A quantile of latency is never below the true one and at most 0.79 % above it.</footer></main>");
        Raw($"<script>\n{Resource("report.js")}</script></body></html>\n");
    }

    private string Title()
    {
        var targets = $"{_run.Targets[0].Name}{(_run.Targets.Count > 1 ? $" and {_run.Targets.Count - 1} more" : "")}";
        var time = $"{_run.StartedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC, {Times.Format(Math.Round(_run.Seconds, 1))}";
        return $"{targets}, {time}{(_run.WasStopped ? ", stopped early" : "")}";
    }

    private void Verdicts()
    {
        if (_run.Proof is { } proof)
            Proof(proof);
        if (_run.Thresholds.Count > 0)
        {
            var held = _run.Thresholds.All(static t => t.Held);
            Raw($"<section class=\"verdict {(held ? "good" : "bad")}\"><b>{(held ? "thresholds held" : "thresholds missed")}</b><ul>");
            foreach (var threshold in _run.Thresholds)
            {
                var verdict = threshold.Held ? "held" : "missed";
                Raw($"<li><span class=\"{verdict}\">{verdict}</span> {Text($"{threshold.Name}: {threshold.Bound}, reached {threshold.Reached}")}</li>");
            }
            Raw("</ul></section>\n");
        }
        if (_run.Stats.Outcomes.Answered == 0 && _run.Stats.Sent > 0)
            Raw("<section class=\"verdict bad\"><b>no request was answered with an allowed or limited status</b></section>\n");
    }

    private void Proof(ProofResult proof)
    {
        Raw($"<section class=\"verdict {(proof.IsKept ? "good" : "bad")}\"><b>{(proof.IsKept ? "promise kept" : "promise broken")}</b> {Text(proof.Promise.ToString())}");
        Raw($"<p class=\"sub\">{Text(ProofText.Evidence(proof))}.</p>");
        if (ProofText.Apart(proof, _run) is { } apart)
            Raw($"<p><b>{Text(apart)}</b></p>");
        if (proof.Counts.Count + proof.Notes.Count > 0)
        {
            Raw("<ul>");
            foreach (var (fault, count) in proof.Counts.OrderBy(static c => c.Key))
            {
                var first = proof.Findings.First(f => f.Fault == fault);
                Raw($"<li><b>{Text(ProofText.NameOf(fault))}</b>: {count:N0}. {Text(ProofText.Line(first, _run))}</li>");
            }
            foreach (var note in proof.Notes)
                Raw($"<li class=\"sub\">{Text(note)}</li>");
            Raw("</ul>");
        }
        Raw("</section>\n");
    }

    private void Tiles()
    {
        var (stats, outcomes) = (_run.Stats, _run.Stats.Outcomes);
        Raw("<ul class=\"tiles\">");
        if (!_run.Config.IsClosed)
            Tile("", "asked", $"{_run.Asked:N0}", $"{Figures.Rate(Math.Round(_run.Asked / Math.Max(_run.Seconds, 1e-9), 1))}/s");
        Tile("", "sent", $"{stats.Sent:N0}", $"{Figures.Rate(Math.Round(_run.SentRate, 1))}/s");
        Tile("allowed", "allowed", $"{outcomes.Allowed:N0}", Figures.Part(outcomes.Allowed, outcomes.All));
        Tile("limited", "limited", $"{outcomes.Limited:N0}", Figures.Part(outcomes.Limited, outcomes.All));
        Tile(outcomes.Failed > 0 ? "failed" : "", "failed", $"{outcomes.Failed:N0}", Figures.Part(outcomes.Failed, outcomes.All));
        if (!_run.Config.IsClosed)
            Tile(stats.Skips > 0 ? "failed" : "", "skipped", $"{stats.Skips:N0}", Figures.Part(stats.Skips, _run.Asked));
        Tile("", "response, p50", Figures.Time(stats.Latency.Response.Quantile(0.5)), $"p90 {Figures.Time(stats.Latency.Response.Quantile(0.9))}");
        Tile("", "response, p99", Figures.Time(stats.Latency.Response.Quantile(0.99)), $"longest {Figures.Time(stats.Latency.Response.Greatest)}");
        Raw("</ul>\n");
    }

    private void Tile(string style, string name, string value, string note) =>
        Raw($"<li class=\"{style}\"><small>{name}</small><b>{Text(value)}</b><small>{Text(note)}</small></li>");

    private void Legend(params string[] keys) => LegendOf([.. keys.Where(static k => k.Length > 0).Select(static k => (k.Split(' ')[0], k))]);

    private void LegendOf(params (string Name, string Style)[] entries)
    {
        Raw("<ul class=\"legend\">");
        foreach (var (name, style) in entries)
        {
            var parts = style.Split(' ');
            Raw($"<li class=\"k-{parts[0]}\"><i{(parts.Length > 1 ? $" class=\"{parts[1]}\"" : "")}></i>{Text(name)}</li>");
        }
        Raw("</ul>");
    }

    private void Raw(string html) => _page.Append(html);

    // Names, keys and addresses come from outside.
    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private static string Resource(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"Weir.LoadGen.Reports.Html.{name}")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
