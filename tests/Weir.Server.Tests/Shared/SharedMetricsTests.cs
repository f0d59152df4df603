using System.Diagnostics;
using Weir.Redis;
using Weir.Server.Metrics;
using Weir.TestKit.Redis;

namespace Weir.Server.Tests.Shared;

/// <summary>What a node that shares counters tells Prometheus.</summary>
public sealed class SharedMetricsTests
{
    private const string Degraded = "ratelimiter_degraded_decisions_total{reason=\"redis_unavailable\"}";

    [Fact]
    public async Task Page_TellsOfTheEngineAndItsConnection()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(1, ("DEFAULT_LIMIT", "1"));
        var before = await nodes[0].MetricAsync("ratelimiter_redis_decisions_total");
        for (var i = 0; i < 5; i++)
            await nodes[0].GetAsync("/rate-limit/alice");

        Assert.Equal(1, await nodes[0].MetricAsync("ratelimiter_redis_up"));
        Assert.Equal(1, await nodes[0].MetricAsync("ratelimiter_engine_state{state=\"healthy\"}"));
        Assert.Equal(0, await nodes[0].MetricAsync("ratelimiter_engine_state{state=\"degraded\"}"));
        Assert.Equal(2, await nodes[0].MetricAsync("ratelimiter_redis_decisions_total") - before);
        Assert.Equal(3, await nodes[0].MetricAsync("ratelimiter_redis_deny_cache_hits_total"));
        Assert.Equal(5, await nodes[0].MetricAsync("ratelimiter_check_duration_seconds_count"));
        foreach (var (_, reason) in DegradedReasons.Shared)
            Assert.Equal(0, await nodes[0].MetricAsync($"ratelimiter_degraded_decisions_total{{reason=\"{reason}\"}}"));
        Assert.Equal(0, await nodes[0].MetricAsync("ratelimiter_redis_reconnects_total"));
    }

    [Fact]
    public async Task DegradedDecisions_AreCountedOnceEach()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(1);
        await nodes.Server.KillAsync();
        await Eventually.IsTrueAsync(async () => await nodes[0].MetricAsync("ratelimiter_engine_state{state=\"degraded\"}") == 1, "the engine has noticed");
        Assert.Equal(0, await nodes[0].MetricAsync("ratelimiter_redis_up"));
        var before = await nodes[0].MetricAsync(Degraded);

        for (var i = 0; i < 5; i++)
            await nodes[0].GetAsync("/rate-limit/alice");
        await nodes[0].PostAsync("/check", """{"checks":[{"key":"a"},{"key":"b"},{"key":"c"}]}""");
        await nodes[0].PostAsync("/reserve", """{"key":"a","cost":3}""");

        Assert.Equal(9, await nodes[0].MetricAsync(Degraded) - before);
        await nodes.Server.StartAsync();
        await Eventually.IsTrueAsync(async () => await nodes[0].MetricAsync("ratelimiter_redis_reconnects_total") == 1, "it is connected again");
        await Eventually.IsTrueAsync(async () => await nodes[0].MetricAsync("ratelimiter_engine_state{state=\"healthy\"}") == 1, "it is healthy again");
    }

    [Fact]
    public async Task Page_PassesPromtool()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(1);
        await nodes[0].GetAsync("/rate-limit/alice");
        var page = await nodes[0].GetAsync("/metrics");

        using var promtool = TryStart();
        Assert.SkipWhen(promtool is null, "promtool is not on the PATH; install the package prometheus to run this test.");
        var said = promtool!.StandardError.ReadToEndAsync();
        await promtool.StandardInput.BaseStream.WriteAsync(page.Body);
        promtool.StandardInput.Close();
        await promtool.WaitForExitAsync();

        Assert.Equal((0, ""), (promtool.ExitCode, (await said).Trim()));
    }

    // Whoever adds a reason or a state gives it a name.
    [Fact]
    public void EveryReasonAndState_HasAName()
    {
        Assert.Equal(Enum.GetValues<DegradedReason>(), DegradedReasons.Shared.Select(static r => r.Reason));
        Assert.Distinct(DegradedReasons.Shared.Select(static r => r.Name));
        Assert.Distinct(Enum.GetValues<EngineHealth>().Select(SharedEngineMetrics.NameOf));
    }

    private static Process? TryStart()
    {
        try
        {
            return Process.Start(new ProcessStartInfo("promtool", ["check", "metrics"]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardError = true });
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
