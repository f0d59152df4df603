using Weir.LoadGen.Configuration;
using Weir.LoadGen.Measuring;
using Weir.LoadGen.Profiles;
using Weir.LoadGen.Running;
using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Reports;

/// <summary>What is printed when a run is over.</summary>
internal static class Summary
{
    private const string Indent = "  ";
    private static readonly double[] Shares = [0.5, 0.9, 0.99, 0.999];

    /// <summary>Writes the summary.</summary>
    /// <param name="run">The run.</param>
    /// <param name="output">Where to.</param>
    /// <param name="hasColor">Whether verdicts may have colours.</param>
    /// <param name="columns">Columns of the terminal, which sentences keep to.</param>
    public static void Write(RunResult run, TextWriter output, bool hasColor, int columns = Prose.Unbounded)
    {
        output.WriteLine();
        var time = $"{(run.WasStopped ? "stopped after" : "done:")} {Times.Format(Math.Round(run.Seconds, 1))}";
        output.WriteLine($"{time}, {Plural(run.Targets.Count, "target")}, keys: {run.Config.Keys.Description}");
        output.WriteLine();
        Requests(run).Write(output, Indent);
        output.WriteLine();
        Latencies(run).Write(output, Indent);
        if (run.Stats.Phases.Count(static p => p.Sent + p.Skipped > 0) > 1)
        {
            output.WriteLine();
            Phases(run.Stats).Write(output, Indent);
        }
        output.WriteLine();
        Targets(run).Write(output, Indent);
        Servers(run.Stats, output);
        Failed(run.Stats, output);
        Warnings(run, output, columns);
        ProofText.Write(run, output, hasColor, columns);
        Thresholds(run, output, hasColor);
    }

    /// <summary>A number and a word, in the right form.</summary>
    public static string Plural(long count, string word) => $"{count:N0} {word}{(count == 1 ? "" : "s")}";

    private static TextTable Requests(RunResult run)
    {
        var (stats, outcomes) = (run.Stats, run.Stats.Outcomes);
        var table = new TextTable();
        if (!run.Config.IsClosed)
            table.Add("asked", $"{run.Asked:N0}", $"{Figures.Rate(run.Asked / Math.Max(run.Seconds, 1e-9))}/s");
        table.Add("sent", $"{stats.Sent:N0}", $"{Figures.Rate(run.SentRate)}/s");
        table.Add("allowed", $"{outcomes.Allowed:N0}", Figures.Part(outcomes.Allowed, outcomes.All));
        table.Add("limited", $"{outcomes.Limited:N0}", Figures.Part(outcomes.Limited, outcomes.All));
        table.Add("failed", $"{outcomes.Failed:N0}", Figures.Part(outcomes.Failed, outcomes.All));
        if (!run.Config.IsClosed)
            table.Add("skipped", $"{stats.Skips:N0}", Figures.Part(stats.Skips, run.Asked));
        if (stats.Resent > 0)
            table.Add("sent twice", $"{stats.Resent:N0}");
        return table;
    }

    private static TextTable Latencies(RunResult run)
    {
        var table = new TextTable().Add("latency", "p50", "p90", "p99", "p99.9", "max");
        // In a closed loop nothing is planned, so the two clocks are one.
        if (!run.Config.IsClosed)
            table.Add(Row("response, from planned start", run.Stats.Latency.Response));
        table.Add(Row("service, from the send", run.Stats.Latency.Service));
        return run.Config.IsClosed ? table : table.Add(Row("start lag of the schedule", run.Stats.Lag));
    }

    private static string[] Row(string name, Histogram histogram) =>
        [name, .. Shares.Select(s => Figures.Time(histogram.Quantile(s))), Figures.Time(histogram.Greatest)];

    private static TextTable Phases(RunStats stats)
    {
        var table = new TextTable().Add("phase", "sent", "allowed", "limited", "failed", "skipped", "p50", "p99", "max");
        foreach (var phase in Enum.GetValues<Phase>())
        {
            var of = stats.Phases[(int)phase];
            if (of.Sent + of.Skipped > 0)
                table.Add(StatusLine.NameOf(phase), $"{of.Sent:N0}", $"{of.Outcomes.Allowed:N0}", $"{of.Outcomes.Limited:N0}", $"{of.Outcomes.Failed:N0}", $"{of.Skipped:N0}",
                    Figures.Time(of.Response.Quantile(0.5)), Figures.Time(of.Response.Quantile(0.99)), Figures.Time(of.Response.Greatest));
        }
        return table;
    }

    private static TextTable Targets(RunResult run)
    {
        var table = new TextTable().Add("target", "requests", "allowed", "limited", "failed", "p50", "p99", "max");
        foreach (var (target, stats) in run.Targets.Zip(run.Stats.Targets))
        {
            var response = stats.Sum().Response;
            table.Add(target.ShortName, $"{stats.Outcomes.All:N0}", $"{stats.Outcomes.Allowed:N0}", $"{stats.Outcomes.Limited:N0}", $"{stats.Outcomes.Failed:N0}",
                Figures.Time(response.Quantile(0.5)), Figures.Time(response.Quantile(0.99)), Figures.Time(response.Greatest));
        }
        return table;
    }

    private static void Servers(RunStats stats, TextWriter output)
    {
        var servers = stats.ServerCounts.ToList();
        if (servers.Count == 0)
            return;
        output.WriteLine();
        var table = new TextTable().Add("served by", "answers");
        foreach (var (server, count) in servers)
            table.Add(server, $"{count:N0}");
        table.Write(output, Indent);
    }

    private static void Failed(RunStats stats, TextWriter output)
    {
        var rows = FailureRows(stats).ToList();
        if (rows.Count == 0)
            return;
        output.WriteLine();
        var table = new TextTable().Add("failures", "");
        foreach (var (name, count) in rows)
            table.Add(name, $"{count:N0}");
        table.Write(output, Indent);
    }

    /// <summary>Failures by name, other statuses each for itself.</summary>
    public static IEnumerable<(string Name, long Count)> FailureRows(RunStats stats)
    {
        foreach (var (kind, count) in stats.FailureCounts.Where(static f => f.Kind != Failure.Status))
            yield return (Failures.NameOf(kind), count);
        foreach (var (status, count) in stats.FailedStatusCounts)
            yield return ($"status {status}", count);
    }

    private static void Warnings(RunResult run, TextWriter output, int columns)
    {
        if (run.Stats.Skips > 0)
        {
            output.WriteLine();
            Prose.Write(output, Indent.Length, $"{Plural(run.Stats.Skips, "request")} could not leave within 250 ms of their time and were skipped: "
                + $"{run.Config.Sending.MaxInFlight:N0} were in flight, or this machine stood still.", columns);
            Prose.Write(output, Indent.Length, "Their waits are in no latency. Raise --max-in-flight, lower --rps, or send them late with --when-full wait.", columns);
        }
        if (run.Stats.Outcomes.Answered == 0 && run.Stats.Sent > 0)
        {
            output.WriteLine();
            output.WriteLine($"{Indent}No request was answered with an allowed or limited status.");
        }
    }

    private static void Thresholds(RunResult run, TextWriter output, bool hasColor)
    {
        if (run.Thresholds.Count == 0)
            return;
        output.WriteLine();
        foreach (var threshold in run.Thresholds)
        {
            var verdict = StyledLine.Paint(threshold.Held ? "held  " : "MISSED", threshold.Held ? Style.Good : Style.Failed, hasColor);
            output.WriteLine($"{Indent}{verdict}  {threshold.Name}: {threshold.Bound}, reached {threshold.Reached}");
        }
    }
}
