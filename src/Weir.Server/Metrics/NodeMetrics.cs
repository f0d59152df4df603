using System.Buffers;

namespace Weir.Server.Metrics;

/// <summary>
/// The instruments of one node and their page for Prometheus. Recording is thread safe, costs nanoseconds and allocates nothing once a
/// rule was seen. Labels are bounded: rules may be named, keys never are.
/// </summary>
internal sealed class NodeMetrics
{
    private const int Allowed = 0;
    private const int Blocked = 1;

    private readonly TimeProvider _time;
    private readonly Func<long> _activeCounters;
    private readonly StripedCounters _checks = new(2);
    private readonly LatencyHistogram _durations;
    private readonly RuleCounters _rules = new();
    private readonly StripedCounters _degraded = new(1);
    private readonly SharedEngineMetrics? _shared;
    private readonly LabelledCounters _rejected = new(RejectReasons.All);
    private readonly LabelledCounters _reloads = new("success", "failure");
    private long _rulesVersion;

    /// <summary>Instruments at zero.</summary>
    /// <param name="time">The clock that start timestamps come from.</param>
    /// <param name="activeCounters">Tells how many counters the engine holds; called when metrics are asked for.</param>
    /// <param name="shared">What the shared engine counts, degraded decisions among it; null for the memory engine.</param>
    public NodeMetrics(TimeProvider time, Func<long> activeCounters, SharedEngineMetrics? shared = null)
    {
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(activeCounters);
        _time = time;
        _activeCounters = activeCounters;
        _shared = shared;
        _durations = new LatencyHistogram(time);
    }

    /// <summary>A timestamp to hand to <see cref="RecordCheck(Rule?, bool, long)"/> when the check is done.</summary>
    public long Start() => _time.GetTimestamp();

    /// <summary>Records one check and the time since it began.</summary>
    /// <param name="rule">The rule that spoke; null when none applied.</param>
    /// <param name="allowed">Whether the request may go on.</param>
    /// <param name="startTimestamp">The clock's timestamp when the check began.</param>
    public void RecordCheck(Rule? rule, bool allowed, long startTimestamp)
    {
        RecordCheck(rule, allowed);
        _durations.RecordSince(startTimestamp);
    }

    /// <summary>Records one check of a batch; time the batch as a whole with <see cref="RecordDuration"/>.</summary>
    public void RecordCheck(Rule? rule, bool allowed)
    {
        _checks.Increment(allowed ? Allowed : Blocked);
        if (rule is not null)
            _rules.Increment(rule, allowed ? RuleResult.Allowed : RuleResult.Blocked);
    }

    /// <summary>Records the time since a check or a batch of checks began.</summary>
    public void RecordDuration(long startTimestamp) => _durations.RecordSince(startTimestamp);

    /// <summary>Records what a shadow rule would have said. It comes besides the check's own record, whose rule a shadow rule never is.</summary>
    public void RecordShadow(Rule rule, bool allowed) => _rules.Increment(rule, allowed ? RuleResult.Allowed : RuleResult.ShadowBlocked);

    /// <summary>Records a decision that a failure policy made. The shared engine knows why it did, and counts them itself.</summary>
    public void RecordDegraded() => _degraded.Increment(0);

    /// <summary>Records a request that was turned away before any decision.</summary>
    /// <param name="reason">One of <see cref="RejectReasons"/>.</param>
    public void RecordRejected(string reason) => _rejected.Increment(reason);

    /// <summary>Records a try to load rules.</summary>
    /// <param name="ok">Whether the new rules are in force.</param>
    /// <param name="version">Version of the rules that are in force now.</param>
    public void RecordReload(bool ok, int version)
    {
        _reloads.Increment(ok ? "success" : "failure");
        Volatile.Write(ref _rulesVersion, version);
        _rules.ForgetRules();
    }

    /// <summary>Writes every metric in Prometheus' text format, <see cref="PrometheusWriter.ContentType"/>.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var writer = new PrometheusWriter(output);
        WriteChecks(writer);
        writer.Gauge("ratelimiter_node_up", 1, "Whether the node runs; 1 whenever it answers.");
        writer.Gauge("ratelimiter_active_counters", _activeCounters(), "Counters that the engine holds.");
        _rules.Write(writer, "ratelimiter_rule_decisions_total", "Decisions by the rule that spoke; shadow_blocked would have been refused.");
        WriteDegraded(writer);
        Write(writer, "ratelimiter_rules_reloads_total", "result", _reloads, "Tries to load rules.");
        writer.Gauge("ratelimiter_rules_version", Volatile.Read(ref _rulesVersion), "Version of the rules in force.");
        Write(writer, "ratelimiter_http_requests_rejected_total", "reason", _rejected, "Requests turned away before any decision.");
        _shared?.Write(writer);
        RuntimeMetrics.Write(writer);
    }

    private void WriteDegraded(PrometheusWriter writer)
    {
        const string name = "ratelimiter_degraded_decisions_total";
        writer.Family(name, "counter", "Decisions made by a failure policy because the engine could not decide.");
        if (_shared is not null)
            _shared.WriteDegraded(writer, name);
        else
            writer.Sample(name, _degraded.Sum(0), ("reason", DegradedReasons.CounterBound));
    }

    private void WriteChecks(PrometheusWriter writer)
    {
        const string name = "ratelimiter_requests_checked_total";
        writer.Family(name, "counter", "Requests decided, by result.");
        writer.Sample(name, _checks.Sum(Allowed), ("result", "allowed"));
        writer.Sample(name, _checks.Sum(Blocked), ("result", "blocked"));
        writer.Histogram("ratelimiter_check_duration_seconds", _durations, "Time to decide a request or a batch, in seconds.");
    }

    private static void Write(PrometheusWriter writer, string name, string label, LabelledCounters counters, string help)
    {
        writer.Family(name, "counter", help);
        foreach (var (value, count) in counters.Read())
            writer.Sample(name, count, (label, value));
    }
}
