using System.Diagnostics;
using System.Globalization;
using Weir.Server.Tests.Http;

namespace Weir.Server.Tests.Hosting;

/// <summary>The metrics page of a node that serves.</summary>
public sealed class MetricsPageTests
{
    private const string Rules = """
        domain: default
        descriptors:
          - { key: user, rate_limit: { name: per-user, limit: 2, window: 1m } }
          - { key: trial, shadow_mode: true, rate_limit: { name: trial, limit: 1, window: 1m } }
        """;

    [Fact]
    public async Task Counters_MoveAsTrafficDoes()
    {
        await using var node = await RunningNode.WithRulesAsync(Rules, ("DEFAULT_LIMIT", "3"));
        var before = await ReadAsync(node);
        Assert.Equal(1, before["ratelimiter_node_up"]);

        for (var i = 0; i < 5; i++)
            await node.GetAsync("/rate-limit/alice");
        await node.PostAsync("/check", """{"checks":[{"key":"bob"},{"key":"bob","cost":9},{"key":"carol","limit":1}]}""");
        for (var i = 0; i < 3; i++)
            await CheckDescriptorsTests.CheckAsync(node, "user=a", "trial=a");
        await node.PostAsync("/reserve", """{"key":"dave","cost":3}""");
        await node.PostAsync("/check", "{}");
        await node.GetAsync("/rate-limit/a/b");
        await node.PostAsync("/rate-limit/alice", "{}");
        await node.PostAsync("/check", new ByteArrayContent(new byte[2_000_000]));
        await node.GetAsync("/nowhere");
        var after = await ReadAsync(node);

        Assert.Equal(3 + 2 + 2 + 1, Moved("ratelimiter_requests_checked_total{result=\"allowed\"}"));
        Assert.Equal(2 + 1 + 1, Moved("ratelimiter_requests_checked_total{result=\"blocked\"}"));
        Assert.Equal(6, Moved("ratelimiter_rule_decisions_total{domain=\"default\",rule=\"default\",result=\"allowed\"}"));
        Assert.Equal(3, Moved("ratelimiter_rule_decisions_total{domain=\"default\",rule=\"default\",result=\"blocked\"}"));
        Assert.Equal(2, Moved("ratelimiter_rule_decisions_total{domain=\"default\",rule=\"per-user\",result=\"allowed\"}"));
        Assert.Equal(1, Moved("ratelimiter_rule_decisions_total{domain=\"default\",rule=\"per-user\",result=\"blocked\"}"));
        Assert.Equal(2, Moved("ratelimiter_rule_decisions_total{domain=\"default\",rule=\"trial\",result=\"shadow_blocked\"}"));
        // A batch is one measurement.
        Assert.Equal(5 + 1 + 3 + 1, Moved("ratelimiter_check_duration_seconds_count"));
        Assert.Equal(2, Moved("ratelimiter_http_requests_rejected_total{reason=\"bad_request\"}"));
        Assert.Equal(1, Moved("ratelimiter_http_requests_rejected_total{reason=\"method_not_allowed\"}"));
        Assert.Equal(1, Moved("ratelimiter_http_requests_rejected_total{reason=\"too_large\"}"));
        Assert.Equal(1, Moved("ratelimiter_http_requests_rejected_total{reason=\"not_found\"}"));
        Assert.Equal(6, Moved("ratelimiter_active_counters"));

        double Moved(string series) => after[series] - before.GetValueOrDefault(series);
    }

    [Fact]
    public async Task Page_NeverShowsAKey()
    {
        await using var node = await RunningNode.WithRulesAsync(Rules, ("DEFAULT_LIMIT", "1"));
        const string marker = "zq7x";
        foreach (var key in new[] { marker, marker + "%0A%22%7D", marker + "%5C", "%F0%9F%98%80" + marker, marker + "%7Bresult%3D%22x%22%7D%205" })
        {
            await node.GetAsync($"/rate-limit/{key}");
            await node.GetAsync($"/rate-limit/{key}");
            await node.SendAsync(HttpMethod.Put, $"/api/limits/{key}", """{"limit":9}""");
        }
        await CheckDescriptorsTests.CheckAsync(node, $"user={marker}", $"trial={marker}");
        await node.PostAsync("/check", $$"""{"key":"{{marker}}","limit":5,"{{marker}}":1}""");
        await node.GetAsync($"/{marker}");

        Assert.DoesNotContain(marker, (await node.GetAsync("/metrics")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_PassesPromtool()
    {
        await using var node = await RunningNode.WithRulesAsync(Rules, ("DEFAULT_LIMIT", "1"));
        await node.GetAsync("/rate-limit/%22%0A");
        await node.GetAsync("/rate-limit/%22%0A");
        await CheckDescriptorsTests.CheckAsync(node, "user=a", "trial=a");
        var page = await node.GetAsync("/metrics");
        Assert.StartsWith("text/plain; version=0.0.4", page.Header("Content-Type"), StringComparison.Ordinal);

        using var promtool = TryStart("promtool", "check", "metrics");
        if (promtool is null)
            Assert.Skip("promtool is not on the PATH; install the package prometheus to run this test.");
        var said = promtool.StandardError.ReadToEndAsync();
        await promtool.StandardInput.BaseStream.WriteAsync(page.Body);
        promtool.StandardInput.Close();
        await promtool.WaitForExitAsync();

        Assert.True(promtool.ExitCode == 0, await said);
        Assert.Equal("", (await said).Trim());
    }

    private static async Task<Dictionary<string, double>> ReadAsync(RunningNode node) => (await node.GetAsync("/metrics")).Text
        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Where(static line => line[0] != '#')
        .ToDictionary(static line => line[..line.LastIndexOf(' ')], static line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture), StringComparer.Ordinal);

    private static Process? TryStart(string program, params string[] arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardError = true });
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
