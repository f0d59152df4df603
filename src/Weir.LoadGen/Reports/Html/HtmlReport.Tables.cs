using Weir.LoadGen.Configuration;
using Weir.LoadGen.Measuring;
using Weir.LoadGen.Profiles;

namespace Weir.LoadGen.Reports.Html;

/// <content>What is better read than looked at.</content>
internal sealed partial class HtmlReport
{
    private static readonly string[] LatencyHeads = ["", "fastest", "mean", "p50", "p90", "p95", "p99", "p99.9", "longest"];

    private static readonly double[] LatencyShares = [0.5, 0.9, 0.95, 0.99, 0.999];

    private void Tables()
    {
        Findings();
        Latencies();
        Phases();
        Targets();
        Raw("<div class=\"two\">");
        Settings();
        Counts("Failures", Summary.FailureRows(_run.Stats));
        Counts("Served by", _run.Stats.ServerCounts);
        Raw("</div>\n");
    }

    private void Findings()
    {
        if (_run.Proof is not { Findings.Count: > 0 } proof)
            return;
        Table("What cannot have happened if the promise was kept", ["key", "from", "to", "fault", "what was seen"], proof.Findings.Select(f => (string[])
        [
            Text(f.Key), $"{f.Time.From / 1e9:N3} s", $"{f.Time.To / 1e9:N3} s", Text(ProofText.NameOf(f.Fault)), Text(f.Text + TargetsOf(f.ByTarget)),
        ]), textFrom: 3);
    }

    private string TargetsOf(IReadOnlyList<long> counts)
    {
        var parts = counts.Select((count, index) => (count, index)).Where(static c => c.count > 0)
            .Select(c => $"{_run.Targets[c.index].ShortName}: {c.count:N0}").ToList();
        return parts.Count == 0 ? "" : $" ({string.Join(", ", parts)})";
    }

    private void Latencies()
    {
        var rows = new List<string[]> { Row("service time, from the send", _run.Stats.Latency.Service) };
        if (!_run.Config.IsClosed)
        {
            rows.Insert(0, Row("response time, from the planned start", _run.Stats.Latency.Response));
            rows.Add(Row("start lag of the schedule", _run.Stats.Lag));
        }
        Table("Latency", LatencyHeads, rows);
    }

    private static string[] Row(string name, Histogram histogram) =>
    [
        name, Figures.Time(histogram.Least), Figures.Time((long)histogram.Mean), .. LatencyShares.Select(s => Figures.Time(histogram.Quantile(s))),
        Figures.Time(histogram.Greatest),
    ];

    private void Phases()
    {
        var phases = Enum.GetValues<Phase>().Select(p => (Phase: p, Stats: _run.Stats.Phases[(int)p])).Where(static p => p.Stats.Sent + p.Stats.Skipped > 0).ToList();
        if (phases.Count > 1)
        {
            Table("By phase", ["", "sent", "allowed", "limited", "failed", "skipped", "p50", "p99", "longest"], phases.Select(static p => (string[])
            [
                StatusLine.NameOf(p.Phase), $"{p.Stats.Sent:N0}", $"{p.Stats.Outcomes.Allowed:N0}", $"{p.Stats.Outcomes.Limited:N0}",
                $"{p.Stats.Outcomes.Failed:N0}", $"{p.Stats.Skipped:N0}",
                Figures.Time(p.Stats.Response.Quantile(0.5)), Figures.Time(p.Stats.Response.Quantile(0.99)), Figures.Time(p.Stats.Response.Greatest),
            ]));
        }
    }

    private void Targets() =>
        Table("By target", ["", "requests", "allowed", "limited", "failed", "p50", "p90", "p99", "longest"], _run.Targets.Zip(_run.Stats.Targets).Select(static t =>
        {
            var (outcomes, response) = (t.Second.Outcomes, t.Second.Sum().Response);
            return (string[])
            [
                Text(t.First.Name), $"{outcomes.All:N0}", $"{outcomes.Allowed:N0}", $"{outcomes.Limited:N0}", $"{outcomes.Failed:N0}",
                Figures.Time(response.Quantile(0.5)), Figures.Time(response.Quantile(0.9)), Figures.Time(response.Quantile(0.99)), Figures.Time(response.Greatest),
            ];
        }));

    private void Settings()
    {
        var config = _run.Config;
        Raw("<section class=\"card\"><h2>What was asked for</h2><dl class=\"facts\">");
        Fact("loop", config.IsClosed ? "closed: the next request leaves when an answer has come" : "open: requests leave when planned, answered or not");
        Fact("requests", $"{config.Sending.Shape.Method} {config.Sending.Shape.Path.Text}");
        Fact("keys", config.Keys.Description);
        Fact("in flight", $"{config.Sending.MaxInFlight:N0} at most");
        Fact("timeout", Times.Format(config.Sending.Timeout.TotalSeconds));
        if (!config.IsClosed)
            Fact("when full", config.WhenFull == Scheduling.WhenFull.Skip ? "a request that is 250 ms late is skipped and counted" : "requests wait and leave late");
        Raw("</dl></section>");
    }

    private void Fact(string name, string value) => Raw($"<dt>{name}</dt><dd>{Text(value)}</dd>");

    private void Counts(string title, IEnumerable<(string Name, long Count)> counts)
    {
        var rows = counts.Select(static c => (string[])[Text(c.Name), $"{c.Count:N0}"]).ToList();
        if (rows.Count > 0)
            Table(title, ["", "requests"], rows);
    }

    // Cells are HTML already.
    private void Table(string title, string[] heads, IEnumerable<string[]> rows, int textFrom = int.MaxValue)
    {
        Raw($"<section class=\"card\"><h2>{title}</h2><div class=\"scroll\"><table><tr>");
        for (var i = 0; i < heads.Length; i++)
            Raw($"<th{(i >= textFrom ? " class=\"text\"" : "")}>{heads[i]}</th>");
        Raw("</tr>");
        foreach (var row in rows)
        {
            Raw("<tr>");
            for (var i = 0; i < row.Length; i++)
                Raw($"<td{(i < textFrom ? "" : i < row.Length - 1 ? " class=\"text\"" : " class=\"text long\"")}>{row[i]}</td>");
            Raw("</tr>");
        }
        Raw("</table></div></section>\n");
    }
}
