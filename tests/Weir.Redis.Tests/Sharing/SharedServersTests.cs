using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Sharing;

/// <summary>What nodes share, on servers of every kind, and on those with which limits would be wrong.</summary>
public sealed class SharedServersTests
{
    [Fact]
    public async Task Cluster_HasItAll()
    {
        Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
        await using var cluster = await RedisCluster.StartAsync(withReplicas: false);
        await using var one = await TestNode.StartAsync(cluster.Url, "a");
        await using var two = await TestNode.StartAsync(cluster.Url, "b");
        await TestNode.MeetAsync(one, two);

        Assert.Equal(new OverrideSpread(OverrideOutcome.Done, 2, 2), await one.SetAsync("alice", 5));
        Assert.Equal("alice=5", two.Limits);
        var rule = Rule.Create(new RuleOptions());
        var reserved = new SharedReservation([new Charge(rule, default, 1, Array.Empty<byte>())], [7], 60_000_000);
        var names = new List<string?>();
        for (var i = 0; i < 40; i++)
            names.Add(await new SharedReservations(one.State).AddAsync(reserved));
        foreach (var name in names)
            Assert.NotNull(await new SharedReservations(two.State).TakeAsync(name!));
    }

    [Fact]
    public async Task ClusterThatIsNotThereYet_IsFound()
    {
        await using var server = await Servers.StartAsync("--cluster-enabled", "yes");
        var url = $"redis+cluster://127.0.0.1:{server.Port}";
        await server.KillAsync();
        await using var node = await TestNode.StartAsync(url);
        Assert.Contains("Nothing listens there", node.State.Lost);

        await server.StartAsync();
        server.Call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");

        await TestNode.MeetAsync(node);
    }

    [Theory]
    [InlineData("allkeys-lru")]
    [InlineData("volatile-ttl")]
    public async Task ServerThatDropsKeys_IsAReasonNotToBeReady_UntilItIsCured(string policy)
    {
        await using var server = await Servers.StartAsync("--maxmemory", "100mb", "--maxmemory-policy", policy);
        await using var node = await TestNode.StartAsync(Servers.UrlOf(server), "a", static o => o with { Ttl = TimeSpan.FromMilliseconds(600) });

        Assert.Equal(
            $"Redis at 127.0.0.1:{server.Port}: When its memory is full the server drops counters, and who was refused would be allowed " +
            $"(maxmemory-policy is {policy}). Set maxmemory-policy noeviction there.",
            node.State.Trouble);
        server.Call("CONFIG", "SET", "maxmemory-policy", "noeviction");
        await Eventually.IsTrueAsync(() => node.State.Trouble is null, "it is cured");
        await Eventually.IsTrueAsync(() => string.Join(' ', node.Said.Select(static s => s.Split(':')[0])) == "Error Information", "both are said");
    }

    [Theory]
    [InlineData("0", "allkeys-lru")]
    [InlineData("100mb", "noeviction")]
    public async Task ServerThatKeepsKeys_IsFine(string memory, string policy)
    {
        await using var server = await Servers.StartAsync("--maxmemory", memory, "--maxmemory-policy", policy);
        await using var node = await TestNode.StartAsync(Servers.UrlOf(server));

        Assert.Null(node.State.Trouble);
    }

    [Fact]
    public async Task UserWhoMayNotAskAboutMemory_IsTrusted()
    {
        await using var server = await Servers.StartAsync(
            "--user", "weir", "on", ">pw", "~weir:*", "+@all", "-info", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru");
        await using var node = await TestNode.StartAsync($"redis://weir:pw@127.0.0.1:{server.Port}");

        await TestNode.MeetAsync(node);
        Assert.Null(node.State.Trouble);
    }

    [Fact]
    public async Task UserWhoMayNotWhatNodesNeed_IsToldSo()
    {
        await using var server = await Servers.StartAsync("--user", "weir", "on", ">pw", "~other:*", "+@all");
        await using var node = await TestNode.StartAsync($"redis://weir:pw@127.0.0.1:{server.Port}");

        Assert.Contains("The user may not do what nodes need. Allow it every key with the prefix", node.State.Lost);
    }

    // Scripts are forgotten by a restart, a failover, or an administrator.
    [Fact]
    public async Task ScriptFlush_IsNotNoticed()
    {
        await using var server = await Servers.StartAsync();
        await using var node = await TestNode.StartAsync(Servers.UrlOf(server));
        await node.SetAsync("alice", 1);

        server.Call("SCRIPT", "FLUSH");

        Assert.Equal(new OverrideSpread(OverrideOutcome.Done, 1, 1), await node.SetAsync("alice", 2));
    }
}
