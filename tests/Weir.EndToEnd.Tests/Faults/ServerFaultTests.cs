using Weir.EndToEnd.Tests.Fleets;
using Weir.TestKit.Redis;

namespace Weir.EndToEnd.Tests.Faults;

/// <summary>
/// What can happen to Redis, as callers of three node processes see it over HTTP: in time, marked, counted, and never more than the limit. What the engine does in more
/// kinds of faults is tested in its own project, within one process.
/// </summary>
public sealed class ServerFaultTests(FaultFleet nodes) : IClassFixture<FaultFleet>
{
    private readonly RedisServer _server = nodes.Fleet.Server;

    [Fact]
    public async Task Killed_AndStartedEmpty()
    {
        await using var ordeal = await Ordeal.BeginAsync(nodes.Fleet);

        await ordeal.BreaksAsync(_server.KillAsync);
        await ordeal.MoreAsync(2_000);
        await ordeal.IsMendedAsync(_server.StartAsync);
        var connections = Stat("total_connections_received:");

        await ordeal.EndAsync();
        // Two for each node and a few that look: nobody comes twice, however many wait.
        Assert.InRange(connections, 3, 12);
    }

    [Fact]
    public async Task Frozen()
    {
        await using var ordeal = await Ordeal.BeginAsync(nodes.Fleet);

        await ordeal.BreaksAsync(Now(_server.Pause));
        await ordeal.MoreAsync(2_000);
        await ordeal.IsMendedAsync(Now(_server.Resume));

        await ordeal.EndAsync();
    }

    [Fact]
    public async Task ScriptsForgotten_IsNoFault()
    {
        var before = await DegradedAsync();
        await using var ordeal = await Ordeal.BeginAsync(nodes.Fleet);

        for (var i = 0; i < 10; i++)
        {
            _server.Call("SCRIPT", "FLUSH");
            await ordeal.MoreAsync(200);
        }

        await ordeal.EndAsync();
        Assert.Equal(before, await DegradedAsync());
    }

    [Fact]
    public async Task Flushed_IsRepairedByWhatNodesRemember()
    {
        await using var ordeal = await Ordeal.BeginAsync(nodes.Fleet);

        await ordeal.BreaksAsync(Now(() => _server.Call("FLUSHALL")));
        await ordeal.IsMendedAsync(static () => Task.CompletedTask);

        await ordeal.EndAsync();
    }

    [Fact]
    public async Task OutOfMemory()
    {
        await using var ordeal = await Ordeal.BeginAsync(nodes.Fleet);

        await ordeal.BreaksAsync(Now(() => _server.Call("CONFIG", "SET", "maxmemory", "1")));
        await ordeal.MoreAsync(2_000);
        await ordeal.IsMendedAsync(Now(() => _server.Call("CONFIG", "SET", "maxmemory", "0")));

        await ordeal.EndAsync();
    }

    [Fact]
    public async Task ReadOnly()
    {
        await using var ordeal = await Ordeal.BeginAsync(nodes.Fleet);

        // Of a primary that is not there, so that it keeps its data.
        await ordeal.BreaksAsync(Now(() => _server.Call("REPLICAOF", "127.0.0.1", "1")));
        await ordeal.MoreAsync(2_000);
        await ordeal.IsMendedAsync(Now(() => _server.Call("REPLICAOF", "NO", "ONE")));

        await ordeal.EndAsync();
    }

    private int Stat(string name) => int.Parse(
        _server.Call("INFO", "stats").Text.Split('\n').First(l => l.StartsWith(name, StringComparison.Ordinal)).AsSpan(name.Length).Trim());

    // For reasons that a busy machine is not.
    private async Task<double> DegradedAsync()
    {
        var sum = 0.0;
        foreach (var node in nodes.Fleet.Routed)
        {
            sum += await node.MetricAsync("ratelimiter_degraded_decisions_total", "redis_error");
            sum += await node.MetricAsync("ratelimiter_degraded_decisions_total", "resync");
        }
        return sum;
    }

    private static Func<Task> Now(Action action) => () =>
    {
        action();
        return Task.CompletedTask;
    };
}
