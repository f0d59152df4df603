using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Weir.LoadGen.Measuring;
using Weir.LoadGen.Profiles;
using Weir.LoadGen.Proof;
using Weir.LoadGen.Running;
using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Reports;

/// <summary>
/// The report for programs. Names are snake_case, latencies milliseconds, rates per second, shares from 0 to 1. <c>schema</c> grows when a name changes its meaning or
/// goes; new names may come at any time.
/// </summary>
internal sealed class JsonReport
{
    /// <summary>The version of the report's form.</summary>
    public const int Schema = 1;

    // A run without end may have had any number; the timeline tells the phases too.
    private const int MostStages = 1_000;

    private static readonly (string Name, double Share)[] Quantiles =
        [("p50", 0.5), ("p75", 0.75), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99_9", 0.999)];

    private readonly RunResult _run;
    private readonly Utf8JsonWriter _json;

    private JsonReport(RunResult run, Utf8JsonWriter json) => (_run, _json) = (run, json);

    /// <summary>The text of the file.</summary>
    public static string Of(RunResult run)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            new JsonReport(run, json).Write();
        return Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    private void Write()
    {
        _json.WriteStartObject();
        _json.WriteNumber("schema", Schema);
        _json.WriteBoolean("success", _run.IsSuccess);
        _json.WriteBoolean("stopped", _run.WasStopped);
        _json.WriteString("started_at", _run.StartedAt.UtcDateTime);
        Number("seconds", _run.Seconds);
        Asked();
        Requests();
        Latency("latency_ms", _run.Stats.Latency);
        Histogram("start_lag_ms", _run.Stats.Lag);
        List("phases", Enum.GetValues<Phase>().Where(p => _run.Stats.Phases[(int)p] is { } s && s.Sent + s.Skipped > 0), PhaseOf);
        List("targets", _run.Targets.Zip(_run.Stats.Targets), TargetOf);
        List("served_by", _run.Stats.ServerCounts, Counted);
        List("statuses", _run.Stats.StatusCounts.Select(static s => ($"{s.Status}", s.Count)), Counted);
        List("failures", Summary.FailureRows(_run.Stats), Counted);
        List("thresholds", _run.Thresholds, ThresholdOf);
        ProofOf();
        List("timeline", _run.Points, PointOf);
        _json.WriteEndObject();
    }

    private void Asked()
    {
        var config = _run.Config;
        _json.WriteStartObject("config");
        _json.WriteString("loop", config.IsClosed ? "closed" : "open");
        _json.WriteString("method", config.Sending.Shape.Method.Method);
        _json.WriteString("path", config.Sending.Shape.Path.Text);
        _json.WriteString("keys", config.Keys.Description);
        _json.WriteNumber("max_in_flight", config.Sending.MaxInFlight);
        Number("timeout_s", config.Sending.Timeout.TotalSeconds);
        if (!config.IsClosed)
        {
            _json.WriteString("when_full", config.WhenFull.ToString().ToLowerInvariant());
            List("stages", config.Profile.Segments().TakeWhile(s => s.Start < _run.Seconds).Take(MostStages), SegmentOf);
        }
        _json.WriteEndObject();
    }

    private void SegmentOf(Segment segment)
    {
        _json.WriteString("phase", StatusLine.NameOf(segment.Phase));
        Number("start_s", segment.Start);
        if (!double.IsInfinity(segment.End))
            Number("end_s", segment.End);
        Number("start_rate", segment.StartRate);
        Number("end_rate", segment.EndRate);
    }

    private void Requests()
    {
        _json.WriteStartObject("requests");
        if (!_run.Config.IsClosed)
            _json.WriteNumber("asked", _run.Asked);
        _json.WriteNumber("sent", _run.Stats.Sent);
        _json.WriteNumber("skipped", _run.Stats.Skips);
        Tally(_run.Stats.Outcomes);
        _json.WriteNumber("sent_twice", _run.Stats.Resent);
        Number("sent_rate", _run.SentRate);
        Number("answered_rate", _run.AnsweredRate);
        Number("failure_share", _run.FailureShare);
        _json.WriteEndObject();
    }

    private void Tally(Tally tally)
    {
        _json.WriteNumber("allowed", tally.Allowed);
        _json.WriteNumber("limited", tally.Limited);
        _json.WriteNumber("failed", tally.Failed);
    }

    private void Latency(string name, Latency latency)
    {
        _json.WriteStartObject(name);
        Histogram("response", latency.Response);
        Histogram("service", latency.Service);
        _json.WriteEndObject();
    }

    private void Histogram(string name, Histogram histogram)
    {
        _json.WriteStartObject(name);
        _json.WriteNumber("count", histogram.Count);
        if (histogram.Count > 0)
        {
            Number("min", histogram.Least / 1e6);
            Number("mean", histogram.Mean / 1e6);
            foreach (var (quantile, share) in Quantiles)
                Number(quantile, histogram.Quantile(share) / 1e6);
            Number("max", histogram.Greatest / 1e6);
        }
        _json.WriteEndObject();
    }

    private void PhaseOf(Phase phase)
    {
        var stats = _run.Stats.Phases[(int)phase];
        _json.WriteString("phase", StatusLine.NameOf(phase));
        _json.WriteNumber("sent", stats.Sent);
        _json.WriteNumber("skipped", stats.Skipped);
        Tally(stats.Outcomes);
        Histogram("response_ms", stats.Response);
    }

    private void TargetOf((Target Target, TargetStats Stats) of)
    {
        _json.WriteString("target", of.Target.Name);
        _json.WriteNumber("requests", of.Stats.Outcomes.All);
        Tally(of.Stats.Outcomes);
        Latency("latency_ms", of.Stats.Sum());
        Latency("allowed_latency_ms", of.Stats.LatencyOf(Outcome.Allowed));
        Latency("limited_latency_ms", of.Stats.LatencyOf(Outcome.Limited));
    }

    private void Counted((string Name, long Count) of)
    {
        _json.WriteString("name", of.Name);
        _json.WriteNumber("count", of.Count);
    }

    private void ThresholdOf(ThresholdResult threshold)
    {
        _json.WriteString("name", threshold.Name);
        _json.WriteString("bound", threshold.Bound);
        _json.WriteString("reached", threshold.Reached);
        _json.WriteBoolean("held", threshold.Held);
    }

    private void ProofOf()
    {
        if (_run.Proof is not { } proof)
            return;
        _json.WriteStartObject("proof");
        _json.WriteString("promise", proof.Promise.ToString());
        _json.WriteBoolean("kept", proof.IsKept);
        _json.WriteNumber("keys", proof.Keys);
        _json.WriteNumber("admitted", proof.Admitted);
        _json.WriteNumber("refused", proof.Refused);
        _json.WriteNumber("unknown", proof.Unknown);
        if (proof.Fullest is { } fullest)
            _json.WriteNumber("fullest_window", fullest);
        if (proof.BlindSpot is { } blind)
            _json.WriteNumber("excess_that_could_hide", blind);
        List("faults", proof.Counts.Select(static c => (ProofText.NameOf(c.Key), c.Value)), Counted);
        List("findings", proof.Findings, FindingOf);
        _json.WriteStartArray("counting_apart");
        foreach (var set in proof.Apart)
        {
            _json.WriteStartArray();
            foreach (var target in set)
                _json.WriteStringValue(_run.Targets[target].Name);
            _json.WriteEndArray();
        }
        _json.WriteEndArray();
        _json.WriteStartArray("notes");
        foreach (var note in proof.Notes)
            _json.WriteStringValue(note);
        _json.WriteEndArray();
        _json.WriteEndObject();
    }

    private void FindingOf(Finding finding)
    {
        _json.WriteString("fault", ProofText.NameOf(finding.Fault));
        _json.WriteString("key", finding.Key);
        Number("from_s", finding.Time.From / 1e9);
        Number("to_s", finding.Time.To / 1e9);
        _json.WriteString("text", finding.Text);
        if (finding.Fault == Fault.OverAdmitted)
            _json.WriteNumber("excess", finding.Excess);
        List("by_target", finding.ByTarget.Select((count, index) => (_run.Targets[index].Name, count)), Counted);
    }

    private void PointOf(TimelinePoint point)
    {
        Number("start_s", point.Start);
        Number("end_s", point.End);
        _json.WriteString("phase", StatusLine.NameOf(point.Phase));
        Number("asked", point.Asked);
        _json.WriteNumber("sent", point.Sent);
        _json.WriteNumber("allowed", point.Allowed);
        _json.WriteNumber("limited", point.Limited);
        _json.WriteNumber("failed", point.Failed);
        _json.WriteNumber("skipped", point.Skipped);
        _json.WriteNumber("in_flight", point.InFlight);
        Number("p50_ms", point.P50 / 1e6);
        Number("p90_ms", point.P90 / 1e6);
        Number("p99_ms", point.P99 / 1e6);
        Number("max_ms", point.Greatest / 1e6);
    }

    private void List<T>(string name, IEnumerable<T> items, Action<T> write)
    {
        _json.WriteStartArray(name);
        foreach (var item in items)
        {
            _json.WriteStartObject();
            write(item);
            _json.WriteEndObject();
        }
        _json.WriteEndArray();
    }

    // Six decimals are nanoseconds of milliseconds; more would be noise.
    private void Number(string name, double value) => _json.WriteNumber(name, Math.Round(value, 6));
}
