using System.Collections.Concurrent;
using Weir.TestKit.Redis;

namespace Weir.Resp.Tests.Sentinel;

public class SentinelTests
{
    [Fact]
    public async Task Failover_WhenThePrimaryIsReplaced_IsFollowed()
    {
        Needs.Redis();
        await using var group = await RedisSentinel.StartAsync();
        await using var client = await ConnectAsync(group);
        var reasons = new ConcurrentQueue<RespCause?>();
        client.StateChanged += (_, e) => reasons.Enqueue(e.State.Reason?.Failure.Cause);

        // The old primary lives on; nothing breaks unless the servers or the Sentinels say so.
        await Eventually.IsTrueAsync(() => !group.Sentinels[0].Call("SENTINEL", "FAILOVER", RedisSentinel.PrimaryName).IsError, "a Sentinel begins to fail over");
        await ConnectedToAsync(client, group.Replica);
        Assert.Contains(reasons, r => r is RespCause.PrimaryMoved or RespCause.Demoted or RespCause.ClosedByServer or RespCause.ConnectionLost);
        using var reply = await client.SendAsync(RespCommand.Create("SET", "key", "1"));
        Assert.Equal("OK", reply.GetString());
    }

    [Fact]
    public async Task Failover_WhenThePrimaryDies_IsFollowed_WithoutOneOfTheSentinels()
    {
        Needs.Redis();
        await using var group = await RedisSentinel.StartAsync();
        await using var client = await ConnectAsync(group);
        using (var written = await client.SendAsync(RespCommand.Create("SET", "key", "1")))
            Assert.Equal("OK", written.GetString());
        await Eventually.IsTrueAsync(() => !group.Replica.Call("GET", "key").IsNull, "the replica has the key");
        await group.Sentinels[0].KillAsync();
        await group.Primary.KillAsync();
        await ConnectedToAsync(client, group.Replica);
        using var reply = await client.SendAsync(RespCommand.Create("GET", "key"));
        Assert.Equal("1", reply.GetString());
    }

    [Fact]
    public async Task Failover_WhileTheOldPrimaryAcceptsAndDoesNotAnswer_IsNotWaitedFor()
    {
        Needs.Redis();
        await using var group = await RedisSentinel.StartAsync();
        // Longer than the test waits.
        await using var client = await ConnectAsync(group, static o => o with { ConnectTimeout = TimeSpan.FromMinutes(5), StallTimeout = TimeSpan.FromMilliseconds(50) });
        group.Primary.Pause();
        using (var none = await client.SendAsync(RespCommand.Create("GET", "key")))
            Assert.False(none.HasReply);

        // The client tries the old primary again by now, because the Sentinels take half a second to give it up.
        await ConnectedToAsync(client, group.Replica);
    }

    [Fact]
    public async Task Failover_WhereServersAndSentinelsAskForPasswords_IsFollowed()
    {
        Needs.Redis();
        await using var group = await RedisSentinel.StartAsync();
        group.RequirePasswords("d@ta", "w@tch");
        var hosts = group.Url["redis-sentinel://".Length..];
        await FailsAsync($"redis-sentinel://:d%40ta@{hosts}", RespCause.PasswordNeeded, "sentinel_password");
        await FailsAsync($"redis-sentinel://:d%40ta@{hosts}?sentinel_password=wrong", RespCause.WrongPassword, "sentinel_password");
        await FailsAsync($"redis-sentinel://{hosts}?sentinel_password=w%40tch", RespCause.PasswordNeeded, "password");
        await FailsAsync($"redis-sentinel://:wrong@{hosts}?sentinel_password=w%40tch", RespCause.WrongPassword, "password");

        await using var client = await ConnectAsync(group, o => RespOptions.Parse($"redis-sentinel://:d%40ta@{hosts}?sentinel_password=w%40tch") with { SentinelPoll = o.SentinelPoll });
        using (var written = await client.SendAsync(RespCommand.Create("SET", "key", "1")))
            Assert.Equal("OK", written.GetString());
        await group.Primary.KillAsync();
        await ConnectedToAsync(client, group.Replica);
        using var reply = await client.SendAsync(RespCommand.Create("SET", "key", "2"));
        Assert.Equal("OK", reply.GetString());
    }

    [Fact]
    public async Task Connect_WhenSentinelsCannotTell_SaysWhy()
    {
        Needs.Redis();
        await using var sentinel = await RedisServer.StartAsync(_ => ["--sentinel"], "port {port}");
        await using var server = await RedisServer.StartAsync();
        var away = RedisServer.FreePort();
        await FailsAsync($"redis-sentinel://127.0.0.1:{away},127.0.0.1:{sentinel.Port}/nobody", RespCause.PrimaryUnknown, "'nobody'");
        await FailsAsync($"redis-sentinel://127.0.0.1:{server.Port}/primary", RespCause.NotSentinel, "redis://");
        await FailsAsync($"redis-sentinel://127.0.0.1:{away}/primary", RespCause.Refused, $"127.0.0.1:{away}");
        await FailsAsync($"redis-sentinel://127.0.0.1:{sentinel.Port}/primary?sentinel_user=a&sentinel_password=s3cret", RespCause.WrongPassword, "'@'");
    }

    private static async Task FailsAsync(string url, RespCause cause, string part)
    {
        await using var client = new RespClient(RespOptions.Parse(url));
        var e = await Assert.ThrowsAsync<RespFailureException>(() => client.ConnectAsync());
        Assert.Equal(cause, e.Failure.Cause);
        Assert.Contains(part, e.Message);
        Assert.DoesNotContain("s3cret", e.ToString());
    }

    private static Task ConnectedToAsync(RespClient client, RedisServer server) =>
        Eventually.IsTrueAsync(() => client.State is { IsConnected: true } s && s.Endpoint!.Value.Port == server.Port, $"the client is connected to port {server.Port}");

    private static async Task<RespClient> ConnectAsync(RedisSentinel group, Func<RespOptions, RespOptions>? change = null)
    {
        var options = RespOptions.Parse(group.Url) with { SentinelPoll = TimeSpan.FromMilliseconds(100) };
        var client = new RespClient(change?.Invoke(options) ?? options);
        await client.ConnectAsync();
        Assert.Equal(group.Primary.Port, client.State.Endpoint!.Value.Port);
        return client;
    }
}
