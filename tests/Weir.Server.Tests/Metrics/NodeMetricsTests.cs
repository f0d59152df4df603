using System.Buffers;
using System.Text;
using Weir.Server.Metrics;
using Weir.TestKit;

namespace Weir.Server.Tests.Metrics;

public sealed class NodeMetricsTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly NodeMetrics _metrics;

    public NodeMetricsTests() => _metrics = new NodeMetrics(_time, () => 42);

    [Fact]
    public void RecordCheck_CountsByResultAndByRule_AndTimesTheCheck()
    {
        var rule = NewRule("login");
        var start = _metrics.Start();
        _time.Advance(TimeSpan.FromSeconds(2));

        _metrics.RecordCheck(rule, allowed: true, start);
        _metrics.RecordCheck(rule, allowed: false, start);
        _metrics.RecordCheck(null, allowed: true, start);

        Assert.Equal(2, Read("ratelimiter_requests_checked_total{result=\"allowed\"}"));
        Assert.Equal(1, Read("ratelimiter_requests_checked_total{result=\"blocked\"}"));
        Assert.Equal(1, Read("ratelimiter_rule_decisions_total{domain=\"default\",rule=\"login\",result=\"allowed\"}"));
        Assert.Equal(1, Read("ratelimiter_rule_decisions_total{domain=\"default\",rule=\"login\",result=\"blocked\"}"));
        Assert.Equal(3, Read("ratelimiter_check_duration_seconds_count"));
        Assert.Equal(6, Read("ratelimiter_check_duration_seconds_sum"), 1e-5);
    }

    [Fact]
    public void RecordCheck_OfABatchItem_IsCountedButNotTimed()
    {
        _metrics.RecordCheck(NewRule("login"), allowed: true);

        Assert.Equal(1, Read("ratelimiter_requests_checked_total{result=\"allowed\"}"));
        Assert.Equal(0, Read("ratelimiter_check_duration_seconds_count"));
    }

    [Fact]
    public void RecordShadow_IsCountedUnderItsRule()
    {
        var rule = NewRule("login");
        _metrics.RecordShadow(rule, allowed: false);
        _metrics.RecordShadow(rule, allowed: true);
        _metrics.RecordShadow(rule, allowed: true);

        Assert.Equal(1, Read("ratelimiter_rule_decisions_total{domain=\"default\",rule=\"login\",result=\"shadow_blocked\"}"));
        Assert.Equal(2, Read("ratelimiter_rule_decisions_total{domain=\"default\",rule=\"login\",result=\"allowed\"}"));
        Assert.Equal(0, Read("ratelimiter_requests_checked_total{result=\"blocked\"}"));
    }

    [Fact]
    public void RecordReload_KeepsCountsOfARuleThatWasMadeAnew()
    {
        _metrics.RecordCheck(NewRule("login"), allowed: true);
        _metrics.RecordReload(ok: true, version: 7);
        _metrics.RecordCheck(NewRule("login"), allowed: true);
        _metrics.RecordReload(ok: false, version: 7);

        Assert.Equal(2, Read("ratelimiter_rule_decisions_total{domain=\"default\",rule=\"login\",result=\"allowed\"}"));
        Assert.Equal(7, Read("ratelimiter_rules_version"));
        Assert.Equal(1, Read("ratelimiter_rules_reloads_total{result=\"success\"}"));
        Assert.Equal(1, Read("ratelimiter_rules_reloads_total{result=\"failure\"}"));
    }

    [Fact]
    public void RecordCheck_OfMoreRulesThanTheBound_CountsTheRestAsOther()
    {
        // A rule that is really called so shares the line with the rest; two lines with the same labels would spoil the whole page.
        _metrics.RecordCheck(NewRule("other", domain: "other"), allowed: true);
        for (var i = 0; i < RuleCounters.MaxRules + 9; i++)
            _metrics.RecordCheck(NewRule($"rule-{i}"), allowed: true);

        var lines = Lines().Where(l => l.StartsWith("ratelimiter_rule_decisions_total") && l.Contains("\"allowed\"")).ToList();

        Assert.Equal(RuleCounters.MaxRules, lines.Count);
        Assert.Single(lines, l => l.StartsWith("ratelimiter_rule_decisions_total{domain=\"other\",rule=\"other\""));
        Assert.Equal(11, Read("ratelimiter_rule_decisions_total{domain=\"other\",rule=\"other\",result=\"allowed\"}"));
    }

    [Fact]
    public void RecordCheck_OfRulesMadePerRequest_KeepsOneLineAndLetsTheRulesGo()
    {
        var first = RecordRuleThatIsNotKept();
        for (var i = 0; i < 20_000; i++)
            _metrics.RecordCheck(NewRule("custom"), allowed: true);

        GC.Collect();

        Assert.False(first.IsAlive);
        Assert.Equal(20_001, Read("ratelimiter_rule_decisions_total{domain=\"default\",rule=\"custom\",result=\"allowed\"}"));
    }

    [Fact]
    public void Reasons_AreBoundedAndShownFromTheStart()
    {
        Assert.Equal(0, Read("ratelimiter_http_requests_rejected_total{reason=\"bad_request\"}"));
        Assert.Equal(0, Read("ratelimiter_degraded_decisions_total{reason=\"counter_bound\"}"));

        _metrics.RecordRejected(RejectReasons.BadRequest);
        _metrics.RecordDegraded();
        for (var i = 0; i < 2 * LabelledCounters.MaxValues; i++)
            _metrics.RecordRejected($"made-up-{i}");

        Assert.Equal(1, Read("ratelimiter_http_requests_rejected_total{reason=\"bad_request\"}"));
        Assert.Equal(1, Read("ratelimiter_degraded_decisions_total{reason=\"counter_bound\"}"));
        Assert.Equal(LabelledCounters.MaxValues + 1, Lines().Count(l => l.StartsWith("ratelimiter_http_requests_rejected_total{")));
        Assert.True(Read("ratelimiter_http_requests_rejected_total{reason=\"other\"}") >= LabelledCounters.MaxValues);
    }

    [Fact]
    public void Write_TellsOfTheNodeItsBuildAndItsProcess()
    {
        var start = Read("process_start_time_seconds");

        Assert.Equal(1, Read("ratelimiter_node_up"));
        Assert.Equal(42, Read("ratelimiter_active_counters"));
        Assert.Equal(1, Read($"ratelimiter_build_info{{version=\"{BuildInfo.Version}\",revision=\"{BuildInfo.Revision}\"}}"));
        Assert.True(Read("process_cpu_seconds_total") > 0);
        Assert.True(Read("process_resident_memory_bytes") > 1_000_000);
        Assert.InRange(start, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - 3_600, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 2);
        Assert.True(Read("dotnet_gc_heap_bytes") > 0);
        Assert.True(Read("dotnet_gc_collections_total{generation=\"2\"}") >= 0);
        Assert.True(Read("dotnet_threadpool_queue_length") >= 0);
    }

    [Fact]
    public async Task RecordCheck_FromManyThreads_LosesNothing()
    {
        const int threads = 4;
        const int each = 50_000;
        var rules = Enumerable.Range(0, 8).Select(i => NewRule($"rule-{i}")).ToArray();

        await Task.WhenAll(Enumerable.Range(0, threads).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < each; i++)
            {
                _metrics.RecordCheck(rules[i % rules.Length], allowed: i % 4 != 0, startTimestamp: 0);
                // Reloads empty the cache of rules while others use it.
                if (i % 10_000 == 0)
                    _metrics.RecordReload(ok: true, version: 1);
            }
        })));

        Assert.Equal(threads * each * 3 / 4, Read("ratelimiter_requests_checked_total{result=\"allowed\"}"));
        Assert.Equal(threads * each / 4, Read("ratelimiter_requests_checked_total{result=\"blocked\"}"));
        Assert.Equal(threads * each, Read("ratelimiter_check_duration_seconds_count"));
        Assert.Equal(threads * each, Lines().Where(l => l.StartsWith("ratelimiter_rule_decisions_total{")).Sum(Value));
    }

    [Fact]
    public void Recording_AllocatesNothing()
    {
        var rule = NewRule("login");
        var metrics = new NodeMetrics(TimeProvider.System, () => 0);
        RecordMany(metrics, rule, 1_000);

        var before = GC.GetAllocatedBytesForCurrentThread();
        RecordMany(metrics, rule, 10_000);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void RecordMany(NodeMetrics metrics, Rule rule, int times)
    {
        for (var i = 0; i < times; i++)
        {
            metrics.RecordCheck(rule, allowed: true, metrics.Start());
            metrics.RecordShadow(rule, allowed: false);
            metrics.RecordDegraded();
            metrics.RecordRejected(RejectReasons.BadRequest);
        }
    }

    private WeakReference RecordRuleThatIsNotKept()
    {
        var rule = NewRule("custom");
        _metrics.RecordCheck(rule, allowed: true);
        return new WeakReference(rule);
    }

    private static Rule NewRule(string name, string domain = "default") => Rule.Create(new RuleOptions { Name = name, Domain = domain });

    private double Read(string sample) => Value(Assert.Single(Lines(), l => l.StartsWith(sample + " ")));

    private static double Value(string line) => double.Parse(line[(line.LastIndexOf(' ') + 1)..]);

    private string[] Lines()
    {
        var output = new ArrayBufferWriter<byte>();
        _metrics.Write(output);
        return Encoding.UTF8.GetString(output.WrittenSpan).Split('\n');
    }
}
