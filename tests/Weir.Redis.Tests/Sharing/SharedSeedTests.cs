using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Sharing;

/// <summary>The secret under which all nodes name counters.</summary>
public sealed class SharedSeedTests
{
    [Fact]
    public async Task NodesThatStartTogether_HaveOneSeed()
    {
        await using var server = await Servers.StartAsync();
        var nodes = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => TestNode.StartAsync(Servers.UrlOf(server), $"node-{i}")));

        await TestNode.MeetAsync(nodes);

        Assert.Single(nodes.Select(static n => Assert.Single(n.Seeds)).Distinct());
        Assert.Matches("^[0-9a-f]{64}$", nodes[0].Seeds[0]);
        Assert.All(nodes, static n => Assert.Empty(n.Said));
        foreach (var node in nodes)
            await node.DisposeAsync();
    }

    [Fact]
    public async Task NodeThatStartsWithoutRedis_GetsTheSeedWhenItComes()
    {
        await using var server = await Servers.StartAsync();
        await using var first = await TestNode.StartAsync(Servers.UrlOf(server), "a");
        var seed = first.Seeds[0];
        await server.KillAsync();
        await using var second = await TestNode.StartAsync(Servers.UrlOf(server), "b");
        Assert.Empty(second.Seeds);
        Assert.False(second.State.Met.IsCompleted);
        Assert.Contains("Nothing listens there", second.State.Lost);

        // The server comes back empty. The node that has never had the seed waits for the one that has.
        await server.StartAsync();
        await TestNode.MeetAsync(first, second);

        Assert.True(second.State.Met.IsCompletedSuccessfully);
        Assert.Equal([seed], first.Seeds);
        Assert.Equal([seed], second.Seeds);
    }

    [Fact]
    public async Task NodeThatStartsWithoutRedis_MakesTheSeedWhenNobodyElseHasIt()
    {
        await using var server = await Servers.StartAsync();
        await server.KillAsync();
        await using var node = await TestNode.StartAsync(Servers.UrlOf(server));

        await server.StartAsync();
        await TestNode.MeetAsync(node);

        Assert.Equal(server.Call("GET", "weir:{nodes}:seed").Text, Assert.Single(node.Seeds));
        Assert.Empty(node.Said);
    }

    [Fact]
    public async Task AfterFlushAll_TheSeedIsPutBack()
    {
        await using var server = await Servers.StartAsync();
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "a");
        await using var two = await TestNode.StartAsync(Servers.UrlOf(server), "b");
        await TestNode.MeetAsync(one, two);

        server.Call("FLUSHALL");
        await Eventually.IsTrueAsync(() => server.Call("GET", "weir:{nodes}:seed").Text == one.Seeds[0], "the seed is back");
        await TestNode.MeetAsync(one, two);

        Assert.Single(one.Seeds);
        Assert.Single(two.Seeds);
        Assert.Null(one.State.Trouble);
        await Eventually.IsTrueAsync(
            () => one.Said.Concat(two.Said).Any(static s => s.StartsWith("Warning: Redis has lost what nodes share")), "the one that did it says so");
        Assert.All(Servers.KeysOf(server), static k => Assert.True(k.Value > 0, k.Key));
    }

    [Fact]
    public async Task AnotherSeed_IsTakenOverAndTold()
    {
        await using var server = await Servers.StartAsync();
        await using var node = await TestNode.StartAsync(Servers.UrlOf(server));
        await TestNode.MeetAsync(node);
        var other = new string('5', 64);

        server.Call("SET", "weir:{nodes}:seed", other, "PX", "100000");

        // For a second the node has a reason for not being ready.
        await Eventually.IsTrueAsync(() => node.State.Trouble is not null, "the node is in trouble");
        Assert.Contains("Redis holds another seed", node.State.Trouble);
        await Eventually.IsTrueAsync(() => node.Seeds[^1] == other, "the node uses it");
        Assert.StartsWith("Error: Redis holds another seed than this node had", Assert.Single(node.Said));
        await Eventually.IsTrueAsync(() => node.State.Trouble is null, "the trouble is over");
    }

    [Fact]
    public async Task SomethingElseUnderTheKey_IsToldWithItsCure()
    {
        await using var server = await Servers.StartAsync();
        server.Call("SET", "weir:{nodes}:seed", "mine", "PX", "100000");

        await using var node = await TestNode.StartAsync(Servers.UrlOf(server));
        await Eventually.IsTrueAsync(() => node.State.Lost!.Contains("does not hold what a node wrote"), "the node says so");

        Assert.Contains("Delete it, or choose another prefix.", node.State.Lost);
        Assert.Empty(node.Seeds);
        server.Call("DEL", "weir:{nodes}:seed");
        await TestNode.MeetAsync(node);
    }

    [Fact]
    public async Task Keys_LiveAsLongAsNodesRun()
    {
        await using var server = await Servers.StartAsync();
        await using var node = await TestNode.StartAsync(Servers.UrlOf(server), "a", static o => o with { Ttl = TimeSpan.FromMilliseconds(600) });
        await node.SetAsync("alice", 5);
        var renewed = Servers.KeysOf(server).Keys.Where(static k => k != "weir:{nodes}").Order(StringComparer.Ordinal).ToList();
        Assert.Equal(["weir:{nodes}:limits", "weir:{nodes}:limits:log", "weir:{nodes}:limits:version", "weir:{nodes}:seed"], renewed);

        foreach (var key in renewed)
            server.Call("PEXPIRE", key, "60000");

        await Eventually.IsTrueAsync(() => renewed.TrueForAll(k => Servers.KeysOf(server)[k] > 732L * 86_400_000), "the next heartbeats renew them");
    }
}
