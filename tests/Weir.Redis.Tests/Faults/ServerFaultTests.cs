using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Faults;

/// <summary>What can happen to a server while three nodes ask it.</summary>
[Collection(nameof(OneByOne))]
public sealed class ServerFaultTests
{
    private static readonly TimeSpan AWhile = TimeSpan.FromMilliseconds(300);

    [Fact]
    public async Task Killed_AndStartedEmpty()
    {
        await using var server = await Servers.StartAsync();
        await using var ordeal = await Ordeal.BeginAsync(Servers.UrlOf(server));

        await server.KillAsync();
        await ordeal.IsDegradedAsync();
        await ordeal.MoreAsync(2_000);
        await server.StartAsync();

        var verdict = await ordeal.EndAsync(losesData: true);
        Assert.InRange(verdict.Degraded, 2_000, int.MaxValue);
    }

    [Theory]
    [InlineData(FailurePolicy.Closed)]
    [InlineData(FailurePolicy.Local)]
    public async Task Killed_AndStartedWithItsLog(FailurePolicy policy)
    {
        await using var server = await Servers.StartAsync("--appendonly", "yes", "--appendfsync", "always");
        await using var ordeal = await Ordeal.BeginAsync(Servers.UrlOf(server), policy);

        await server.KillAsync();
        await ordeal.IsDegradedAsync();
        await server.StartAsync();

        await ordeal.EndAsync();
    }

    [Theory]
    [InlineData(FailurePolicy.Closed)]
    [InlineData(FailurePolicy.Local)]
    public async Task Paused(FailurePolicy policy)
    {
        await using var server = await Servers.StartAsync();
        await using var ordeal = await Ordeal.BeginAsync(Servers.UrlOf(server), policy);

        server.Pause();
        await ordeal.IsDegradedAsync();
        await Task.Delay(AWhile);
        server.Resume();

        await ordeal.EndAsync();
    }

    [Fact]
    public async Task ScriptsForgotten_IsNoticedByNobody()
    {
        await using var server = await Servers.StartAsync();
        await using var ordeal = await Ordeal.BeginAsync(Servers.UrlOf(server));

        for (var i = 0; i < 20; i++)
        {
            server.Call("SCRIPT", "FLUSH");
            await ordeal.MoreAsync(100);
        }

        await ordeal.EndAsync();
        // An answer may come late on a busy machine, which is another matter.
        Assert.All(ordeal.Fleet.Nodes, static n => Assert.Equal((0, 0), (n.Engine.Counters[DegradedReason.Error], n.Engine.Counters[DegradedReason.Resync])));
    }

    [Fact]
    public async Task Flushed_IsRepairedByWhatNodesRemember()
    {
        await using var server = await Servers.StartAsync();
        await using var ordeal = await Ordeal.BeginAsync(Servers.UrlOf(server));

        for (var i = 0; i < 2; i++)
        {
            var birth = ordeal.Fleet[0].Engine.Shards[0].Birth;
            server.Call("FLUSHALL");
            await Eventually.IsTrueAsync(() => ordeal.Fleet.Nodes.All(n => n.Engine.Shards[0].Birth != birth && n.Degraded > 0), "all nodes have noticed");
            await ordeal.Fleet.IsHealthyAsync();
        }

        await ordeal.EndAsync(losesData: true);
    }

    [Fact]
    public async Task StartedWithAnOldSnapshot_IsRepairedByWhatNodesRemember()
    {
        await using var server = await Servers.StartAsync();
        await using var ordeal = await Ordeal.BeginAsync(Servers.UrlOf(server));

        server.Call("SAVE");
        await ordeal.MoreAsync(1_500);
        await server.KillAsync();
        await ordeal.IsDegradedAsync();
        await server.StartAsync();

        await ordeal.EndAsync(losesData: true);
    }

    [Fact]
    public async Task Loading()
    {
        // A key takes 2 ms to load.
        await using var server = await Servers.StartAsync("--key-load-delay", "2000", "--loading-process-events-interval-bytes", "1024");
        await using var ordeal = await Ordeal.BeginAsync(Servers.UrlOf(server));
        server.Call("EVAL", "for i = 1, 300 do redis.call('SET', 'k' .. i, 'v', 'EX', 100) end", "0");
        server.Call("SAVE");

        await server.KillAsync();
        await server.StartAsync();
        Assert.Equal("1", LoadingOf(server));
        await Eventually.IsTrueAsync(() => LoadingOf(server) == "0", "all is loaded");

        await ordeal.EndAsync(losesData: true);
    }

    [Fact]
    public async Task OutOfMemory()
    {
        await using var server = await Servers.StartAsync();
        await using var ordeal = await Ordeal.BeginAsync(Servers.UrlOf(server));

        server.Call("CONFIG", "SET", "maxmemory", "1");
        await ordeal.IsDegradedAsync();
        await ordeal.MoreAsync(2_000);
        server.Call("CONFIG", "SET", "maxmemory", "0");

        await ordeal.EndAsync();
    }

    [Theory]
    [InlineData(FailurePolicy.Closed)]
    [InlineData(FailurePolicy.Local)]
    public async Task TurnedIntoAReplica(FailurePolicy policy)
    {
        await using var server = await Servers.StartAsync("--replica-serve-stale-data", "yes");
        await using var ordeal = await Ordeal.BeginAsync(Servers.UrlOf(server), policy);

        // Of a primary that is not there, so that it keeps its data.
        server.Call("REPLICAOF", "127.0.0.1", "1");
        await ordeal.IsDegradedAsync();
        await ordeal.MoreAsync(2_000);
        server.Call("REPLICAOF", "NO", "ONE");

        await ordeal.EndAsync();
    }

    [Fact]
    public async Task ConnectionsKilled_AgainAndAgain()
    {
        await using var server = await Servers.StartAsync();
        await using var ordeal = await Ordeal.BeginAsync(Servers.UrlOf(server));

        for (var i = 0; i < 20; i++)
        {
            server.Call("CLIENT", "KILL", "TYPE", "normal");
            await ordeal.MoreAsync(200);
        }

        await ordeal.EndAsync();
    }

    [Fact]
    public async Task BusyWithAnotherScript()
    {
        await using var server = await Servers.StartAsync("--lua-time-limit", "50");
        await using var ordeal = await Ordeal.BeginAsync(Servers.UrlOf(server));

        var endless = Task.Run(() => server.Call("EVAL", "while true do end", "0"));
        await ordeal.IsDegradedAsync();
        await ordeal.MoreAsync(1_000);
        await Eventually.IsTrueAsync(() => !server.Call("SCRIPT", "KILL").IsError, "the other script is ended");
        await endless;

        await ordeal.EndAsync();
    }

    [Fact]
    public async Task Sleeping()
    {
        await using var server = await Servers.StartAsync("--enable-debug-command", "yes");
        await using var ordeal = await Ordeal.BeginAsync(Servers.UrlOf(server));

        server.Call("DEBUG", "SLEEP", "0.5");

        await ordeal.EndAsync();
    }

    private static string LoadingOf(RedisServer server) =>
        server.Call("INFO", "persistence").Text.Split('\n').First(static l => l.StartsWith("loading:")).Trim()[^1..];
}
