using System.Collections.Concurrent;
using Weir.TestKit.Redis;

namespace Weir.Resp.Tests.Cluster;

/// <summary>One Cluster for all tests of this class: three primaries, each with a replica.</summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    private RedisCluster? _cluster;

    public RedisCluster Cluster
    {
        get
        {
            Needs.Redis();
            return _cluster!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (RedisServer.Unavailable is null)
            _cluster = await RedisCluster.StartAsync(withReplicas: true);
    }

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
            await _cluster.DisposeAsync();
    }
}

public class RespClusterClientTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>
{
    private static readonly TimeSpan Patient = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Send_ReachesTheNodeOfEachKey()
    {
        await using var client = await ConnectAsync();
        Assert.Equal(3, client.Primaries.Count);
        Assert.True(client.State.IsConnected);
        for (var i = 0; i < 300; i++)
        {
            using var reply = await SetAsync(client, $"spread-{i}", "1");
            Assert.Equal("OK", reply.GetString());
        }
        Assert.Equal(300, await CountAsync(client, "spread-*"));
        using var any = await client.SendAsync(RespCommand.Create("PING"), slot: -1, Patient);
        Assert.Equal("PONG", any.GetString());
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await client.SendAsync(RespCommand.Create("PING"), RespSlots.Count));
    }

    [Fact]
    public async Task Moved_IsFollowed_AndRemembered()
    {
        await using var client = await ConnectAsync();
        var (slot, from, to) = Place("moved");
        var errors = ErrorsOf(from);
        RedisCluster.BeginMove(slot, from, to);
        await fixture.Cluster.EndMoveAsync(slot, from, to);
        try
        {
            using (var reply = await SetAsync(client, "{moved}1", "x"))
                Assert.Equal("OK", reply.GetString());
            Assert.Equal(errors + 1, ErrorsOf(from));
            using (var reply = await SetAsync(client, "{moved}2", "x"))
                Assert.Equal("OK", reply.GetString());
            Assert.Equal(errors + 1, ErrorsOf(from));
            Assert.Equal("2", to.Call("CLUSTER", "COUNTKEYSINSLOT", $"{slot}").Text);
        }
        finally
        {
            await MoveBackAsync(slot, to, from, "{moved}1", "{moved}2");
        }
    }

    [Fact]
    public async Task Migration_UnderLoad_LosesAndRepeatsNothing()
    {
        await using var client = await ConnectAsync();
        var (slot, from, to) = Place("load");
        var keys = Enumerable.Range(0, 40).Select(static i => $"{{load}}{i}").ToArray();
        using var over = new CancellationTokenSource();
        var counts = new ConcurrentDictionary<string, int>();
        var callers = keys.Select(key => Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                using var reply = await client.SendAsync(RespCommand.Create("INCR", key), slot, Patient);
                Assert.Equal(counts.AddOrUpdate(key, 1, static (_, n) => n + 1), reply.GetInt64());
            }
        })).ToArray();
        await Eventually.IsTrueAsync(() => counts.Count == keys.Length, "all callers run");
        var asked = ErrorsOf(from, "ASK");
        RedisCluster.BeginMove(slot, from, to);
        foreach (var key in keys)
            RedisCluster.MoveKey(key, from, to);
        await Eventually.IsTrueAsync(() => ErrorsOf(from, "ASK") > asked + 10, "callers were asked to go elsewhere for once");
        await fixture.Cluster.EndMoveAsync(slot, from, to);
        var at = counts.Values.Sum();
        await Eventually.IsTrueAsync(() => counts.Values.Sum() > at + 1000, "all callers run on");
        await over.CancelAsync();
        await Task.WhenAll(callers).WaitAsync(Patient);
        await MoveBackAsync(slot, to, from, keys);
    }

    [Fact]
    public async Task TryAgain_IsTriedAgainUntilTheKeysAreTogether()
    {
        await using var client = await ConnectAsync();
        var (slot, from, to) = Place("pair");
        (await SetAsync(client, "{pair}1", "x")).Dispose();
        (await SetAsync(client, "{pair}2", "y")).Dispose();
        RedisCluster.BeginMove(slot, from, to);
        RedisCluster.MoveKey("{pair}1", from, to);
        var both = client.SendAsync(RespCommand.Create("MGET", "{pair}1", "{pair}2"), slot, Patient).AsTask();
        await Eventually.IsTrueAsync(() => ErrorsOf(from, "TRYAGAIN") + ErrorsOf(to, "TRYAGAIN") > 0, "a server asks to try again");
        RedisCluster.MoveKey("{pair}2", from, to);
        using (var reply = await both)
            Assert.Equal("*2\r\n$1\r\nx\r\n$1\r\ny\r\n"u8, reply.Bytes);
        await fixture.Cluster.EndMoveAsync(slot, from, to);
        await MoveBackAsync(slot, to, from, "{pair}1", "{pair}2");
    }

    [Fact]
    public async Task TryAgain_ForTooLong_IsGivenUpAndWasNotExecuted()
    {
        await using var client = await ConnectAsync();
        var (slot, from, to) = Place("split");
        (await SetAsync(client, "{split}1", "x")).Dispose();
        (await SetAsync(client, "{split}2", "y")).Dispose();
        RedisCluster.BeginMove(slot, from, to);
        RedisCluster.MoveKey("{split}1", from, to);
        var execution = RespExecution.MayHaveExecuted;
        // When the time is over just while it is being asked once more, nobody knows.
        for (var i = 0; i < 10 && execution == RespExecution.MayHaveExecuted; i++)
        {
            using var reply = await client.SendAsync(RespCommand.Create("MSET", "{split}1", "a", "{split}2", "b"), slot, TimeSpan.FromMilliseconds(50));
            Assert.False(reply.HasReply);
            execution = reply.Failure.Execution;
        }
        Assert.Equal(RespExecution.NotSent, execution);
        RedisCluster.MoveKey("{split}2", from, to);
        await fixture.Cluster.EndMoveAsync(slot, from, to);
        Assert.Equal(["x", "y"], to.Call("MGET", "{split}1", "{split}2").Items.Select(static i => i.Text));
        await MoveBackAsync(slot, to, from, "{split}1", "{split}2");
    }

    [Fact]
    public async Task Connect_WhenASeedIsAway_AsksTheNext()
    {
        Needs.Redis();
        var url = $"redis+cluster://127.0.0.1:{RedisServer.FreePort()},127.0.0.1:{fixture.Cluster.Servers[2].Port}";
        await using var client = new RespClusterClient(RespOptions.Parse(url));
        await client.ConnectAsync();
        Assert.Equal(3, client.Primaries.Count);
        await using var nobody = new RespClusterClient(RespOptions.Parse($"redis+cluster://127.0.0.1:{RedisServer.FreePort()}"));
        var e = await Assert.ThrowsAsync<RespFailureException>(() => nobody.ConnectAsync());
        Assert.Equal(RespCause.Refused, e.Failure.Cause);
        Assert.Equal(e, nobody.State.Reason);
    }

    private async Task<RespClusterClient> ConnectAsync()
    {
        var client = new RespClusterClient(RespOptions.Parse(fixture.Cluster.Url));
        await client.ConnectAsync();
        return client;
    }

    private (int Slot, RedisServer From, RedisServer To) Place(string tag)
    {
        var slot = RespSlots.Of(tag);
        var from = fixture.Cluster.OwnerOf(slot);
        return (slot, from, fixture.Cluster.Servers.Take(3).First(s => s != from));
    }

    private async Task MoveBackAsync(int slot, RedisServer from, RedisServer to, params string[] keys)
    {
        RedisCluster.BeginMove(slot, from, to);
        foreach (var key in keys)
            RedisCluster.MoveKey(key, from, to);
        await fixture.Cluster.EndMoveAsync(slot, from, to);
    }

    private static ValueTask<RespReply> SetAsync(RespClusterClient client, string key, string value) =>
        client.SendAsync(RespCommand.Create("SET", key, value), RespSlots.Of(key), Patient);

    private static async Task<int> CountAsync(RespClusterClient client, string pattern)
    {
        var count = 0;
        foreach (var primary in client.Primaries)
        {
            using var reply = await primary.SendAsync(RespCommand.Create("KEYS", pattern), Patient);
            count += reply.Root().Count;
        }
        return count;
    }

    // How many commands a server answered with an error that begins so.
    private static int ErrorsOf(RedisServer server, string word = "MOVED")
    {
        var line = server.Call("INFO", "errorstats").Text.Split("\r\n").FirstOrDefault(l => l.StartsWith($"errorstat_{word}:", StringComparison.Ordinal));
        return line is null ? 0 : int.Parse(line[(line.IndexOf('=') + 1)..]);
    }
}
