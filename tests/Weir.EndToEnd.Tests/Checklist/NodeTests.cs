using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Weir.EndToEnd.Tests.Fleets;
using Weir.TestKit.Redis;

namespace Weir.EndToEnd.Tests.Checklist;

/// <summary>What a limiter service must do, line by line, over three node processes: nodes, limits and metrics.</summary>
[Collection(nameof(ChecklistNodes))]
public sealed partial class NodeTests(ChecklistFleet shared)
{
    private readonly Fleet _fleet = shared.Fleet;

    [Fact]
    public async Task N4_Nodes_AreListedByEachOfThem()
    {
        foreach (var node in _fleet.Routed)
        {
            var list = (await node.GetAsync("/api/nodes")).Json.GetProperty("nodes").EnumerateArray().ToDictionary(static n => n.GetProperty("id").GetString()!);
            foreach (var other in _fleet.Routed)
            {
                Assert.Equal((other.Url, "ready"), (list[other.Id].GetProperty("address").GetString(), list[other.Id].GetProperty("state").GetString()));
                Assert.True(list[other.Id].GetProperty("started_at").GetDateTime() <= list[other.Id].GetProperty("last_seen").GetDateTime(), list[other.Id].ToString());
            }
        }
    }

    [Fact]
    public async Task N4_NodeThatDies_DisappearsWhenItsRegistrationExpires()
    {
        var dying = await _fleet.StartNodeAsync(null, "--node-ttl-ms", "3000");
        await IsListedAsync(dying);

        dying.Process.End();
        await dying.Process.ExitAsync();
        // By Redis' clock, in which lists are exact.
        var (lastSeen, asOf) = (DateTime.MinValue, DateTime.MinValue);
        await Eventually.IsTrueAsync(
            async () =>
            {
                var list = (await _fleet[0].GetAsync("/api/nodes")).Json;
                asOf = list.GetProperty("as_of").GetDateTime();
                var entry = list.GetProperty("nodes").EnumerateArray().FirstOrDefault(n => n.GetProperty("id").GetString() == dying.Id);
                if (entry.ValueKind == JsonValueKind.Undefined)
                    return true;
                lastSeen = entry.GetProperty("last_seen").GetDateTime();
                return false;
            },
            $"{dying} is gone",
            Fleet.Patience);

        Assert.NotEqual(DateTime.MinValue, lastSeen);
        Assert.InRange((asOf - lastSeen).TotalMilliseconds, 2_999, double.MaxValue);
        foreach (var node in _fleet.Routed)
            Assert.DoesNotContain(dying.Id, (await node.NodesAsync()).Keys);
        // Not from lists only.
        Assert.DoesNotContain(dying.Id, string.Concat(_fleet.Server.Call("HVALS", "weir:{nodes}").Items));
    }

    [Fact]
    public async Task N6_Override_IsInForceOnEveryNodeOnceItIsAnswered_AlsoUnderLoad()
    {
        // Nodes of other tests are forgotten.
        await _fleet.MeetAsync();
        var tally = Tally.OfKey("n6-load");
        await using var load = Load.Start(24, (caller, n) => (_fleet[(caller + n) % 3], tally), TimeSpan.FromMilliseconds(2));
        for (var round = 1; round <= 5; round++)
        {
            var set = await _fleet[round % 3].SendAsync(HttpMethod.Put, "/api/limits/n6", $$"""{"limit":{{round}}}""");
            Assert.Equal((200, 3, 3), (set.Status, set.Json.GetProperty("nodes").GetInt32(), set.Json.GetProperty("applied").GetInt32()));
            foreach (var node in _fleet.Routed)
            {
                Assert.Equal($"{round}", (await node.GetAsync("/rate-limit/n6?cost=0")).Headers["X-RateLimit-Limit"]);
                var limits = (await node.GetAsync("/api/limits")).Json;
                Assert.Equal(10, limits.GetProperty("default").GetProperty("limit").GetInt32());
                Assert.Contains(limits.GetProperty("overrides").EnumerateArray(), o => (o.GetProperty("key").GetString(), o.GetProperty("limit").GetInt32()) == ("n6", round));
            }
        }
        var lifted = await _fleet[0].SendAsync(HttpMethod.Delete, "/api/limits/n6");
        Assert.Equal((200, 3), (lifted.Status, lifted.Json.GetProperty("applied").GetInt32()));
        foreach (var node in _fleet.Routed)
            Assert.Equal("10", (await node.GetAsync("/rate-limit/n6?cost=0")).Headers["X-RateLimit-Limit"]);
        await load.MoreAsync(24);
        await load.StopAsync();
        Assert.Equal(10, tally.Allowed);
    }

    [Fact]
    public async Task N6_Override_IsKnownToANodeThatStartsLater()
    {
        await _fleet[0].SendAsync(HttpMethod.Put, "/api/limits/n6-later", """{"limit":3}""");
        var later = await _fleet.StartNodeAsync(null, "--node-ttl-ms", "1000");
        try
        {
            Assert.Equal("3", (await later.GetAsync("/rate-limit/n6-later")).Headers["X-RateLimit-Limit"]);
        }
        finally
        {
            await EndAsync(later);
        }
    }

    [Fact]
    public async Task N9_Nodes_RegisterOnStart_AndLeaveAtOnceWhenTheyStop()
    {
        // Its registration would last ten minutes.
        var node = await _fleet.StartNodeAsync(null, "--node-ttl-ms", "600000");
        await IsListedAsync(node);

        await EndAsync(node);

        foreach (var other in _fleet.Routed)
            Assert.DoesNotContain(node.Id, (await other.NodesAsync()).Keys);
    }

    [Fact]
    public async Task N9_StoppingNode_SaysSoWhileItDrains()
    {
        var node = await _fleet.StartNodeAsync(null, "--drain-ms", "60000", "--node-ttl-ms", "1000");
        await IsListedAsync(node);

        node.Process.Terminate();

        await Eventually.IsTrueAsync(async () => (await _fleet[0].NodesAsync())[node.Id] == "stopping", "others see that it stops", Fleet.Patience);
        Assert.Equal("stopping", await node.NotReadyAsync());
        Assert.Equal(200, (await node.GetAsync("/rate-limit/n9")).Status);
        // Nobody waits for a drain of a minute; what it was is known now.
        node.Process.End();
        await node.Process.ExitAsync();
    }

    [Fact]
    public async Task N9_Heartbeat_IsSeen()
    {
        var node = await _fleet.StartNodeAsync(null, "--node-ttl-ms", "3000");
        await IsListedAsync(node);
        var before = await LastSeenAsync();

        await Eventually.IsTrueAsync(async () => await LastSeenAsync() > before, "the node is seen again", Fleet.Patience);

        await EndAsync(node);

        async Task<DateTime> LastSeenAsync() => (await _fleet[0].GetAsync("/api/nodes")).Json.GetProperty("nodes").EnumerateArray()
            .Single(n => n.GetProperty("id").GetString() == node.Id).GetProperty("last_seen").GetDateTime();
    }

    [Fact]
    public async Task N10_EachNode_ExportsItsMetrics()
    {
        foreach (var node in _fleet.Routed)
        {
            var (allowed, blocked) = (await ChecksAsync(node, "allowed"), await ChecksAsync(node, "blocked"));
            var timed = await node.MetricAsync("ratelimiter_check_duration_seconds_count");

            await node.CheckAsync($$"""{"key":"n10-{{node.Id}}","cost":10}""");
            await node.CheckAsync($$"""{"key":"n10-{{node.Id}}","cost":10}""");

            Assert.Equal((allowed + 1, blocked + 1), (await ChecksAsync(node, "allowed"), await ChecksAsync(node, "blocked")));
            Assert.Equal(timed + 2, await node.MetricAsync("ratelimiter_check_duration_seconds_count"));
            Assert.Equal(1, await node.MetricAsync("ratelimiter_node_up"));
            // All nodes speak of the same counters, as soon as they have looked.
            await Eventually.IsTrueAsync(async () => await node.MetricAsync("ratelimiter_active_counters") > 0, "counters are counted", Fleet.Patience);
        }
    }

    [Fact]
    public async Task N10_Metrics_PassPromtool_AndNameNoKeys()
    {
        await _fleet[0].GetAsync("/rate-limit/n10-secret-key");
        foreach (var node in _fleet.Routed)
        {
            var page = (await node.GetAsync("/metrics")).Text;
            Assert.DoesNotContain("n10-secret-key", page);
            Assert.All(page.Split('\n', StringSplitOptions.RemoveEmptyEntries), static line => Assert.True(line[0] == '#' || Sample().IsMatch(line), line));
            Assert.Equal((0, ""), await CheckAsync(page));
        }
    }

    [GeneratedRegex("""^(ratelimiter|process|dotnet|weir)_[a-z0-9_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [-+0-9.eENaInf]+$""", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Sample();

    private static Task<double> ChecksAsync(FleetNode node, string result) => node.MetricAsync("ratelimiter_requests_checked_total", $"result=\"{result}\"");

    private static async Task EndAsync(FleetNode node)
    {
        node.Process.Terminate();
        Assert.Equal((0, ""), (await node.Process.ExitAsync(), node.Process.Errors));
    }

    private Task IsListedAsync(FleetNode node) => Eventually.IsTrueAsync(
        async () => (await Task.WhenAll(_fleet.Routed.Select(static n => n.NodesAsync()))).All(l => l.ContainsKey(node.Id)), $"all list {node}", Fleet.Patience);

    private static async Task<(int ExitCode, string Said)> CheckAsync(string page)
    {
        try
        {
            using var promtool = Process.Start(
                new ProcessStartInfo("promtool", ["check", "metrics"]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardError = true })!;
            var said = promtool.StandardError.ReadToEndAsync();
            await promtool.StandardInput.WriteAsync(page);
            promtool.StandardInput.Close();
            await promtool.WaitForExitAsync();
            return (promtool.ExitCode, (await said).Trim());
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("promtool is not on the PATH; install the package prometheus to run this test.");
            return default;
        }
    }
}
