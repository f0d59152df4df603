using Weir.Redis.Tests.Sharing;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Nodes;

/// <summary>Nodes that find each other through a real server.</summary>
public sealed class NodeRegistryTests
{
    private static readonly TimeSpan ShortTtl = TimeSpan.FromMilliseconds(600);

    [Fact]
    public async Task Nodes_SeeEachOther_WithWhatEachTellsOfItself()
    {
        await using var server = await Servers.StartAsync();
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "b");
        await using var two = await TestNode.StartAsync(Servers.UrlOf(server), "a");

        await TestNode.MeetAsync(one, two);

        var roll = one.State.Roll;
        Assert.Equal(["a", "b"], roll.Nodes.Select(static n => n.Id));
        Assert.Equal(new NodeCard { Address = "http://host:1", Version = "1.2.3", StartedMicros = 7, State = "ready" }, roll.Nodes[0].Card);
        Assert.All(roll.Nodes, n => Assert.InRange(roll.AsOfMicros - n.LastSeenMicros, 0, 20_000_000));
        Assert.InRange(roll.AsOfMicros, long.Parse(server.Call("TIME").Items[0].Text) * 1_000_000 - 20_000_000, long.MaxValue);
        Assert.Equal((2, 2), (one.Nodes, two.Nodes));
    }

    [Fact]
    public async Task Node_TellsOfAChangeAtOnce()
    {
        await using var server = await Servers.StartAsync();
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "a");
        await using var two = await TestNode.StartAsync(Servers.UrlOf(server), "b", static o => o with { Ttl = TimeSpan.FromSeconds(3) });
        await TestNode.MeetAsync(one, two);

        one.Condition = "stopping";

        // Well before its next heartbeat, which is due after five seconds.
        await Eventually.IsTrueAsync(() => two.State.Roll.Nodes[0].Card.State == "stopping", "the other sees it", TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task NodeThatLeaves_IsGoneAtOnce()
    {
        await using var server = await Servers.StartAsync();
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "a", static o => o with { Ttl = TimeSpan.FromSeconds(3) });
        await using var two = await TestNode.StartAsync(Servers.UrlOf(server), "b");
        await TestNode.MeetAsync(one, two);

        await two.State.LeaveAsync();

        Assert.Equal(1, int.Parse(server.Call("HLEN", "weir:{nodes}").Text));
        await Eventually.IsTrueAsync(() => one.State.Roll.Nodes.Count == 1, "the other has noticed");
        // A part of a limit is not made larger in haste.
        Assert.Equal(2, one.Nodes);
        await Eventually.IsTrueAsync(() => one.Nodes == 1, "it is believed");
    }

    [Fact]
    public async Task NodeThatDies_IsGoneWhenItsTimeIsOver()
    {
        await using var server = await Servers.StartAsync();
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "a", static o => o with { Ttl = ShortTtl });
        var two = await TestNode.StartAsync(Servers.UrlOf(server), "b", static o => o with { Ttl = ShortTtl });
        await TestNode.MeetAsync(one, two);
        var instance = two.State.Roll.Nodes[1].Instance;

        await two.DisposeAsync();
        await Eventually.IsTrueAsync(() => one.State.Roll.Nodes.Count == 1, "the dead one is gone");

        // The list itself is cleared, and not only what is shown of it; and the last time at which it was seen is a whole TTL ago.
        Assert.Equal("0", server.Call("HEXISTS", "weir:{nodes}", instance).Text);
        Assert.Equal("a", Assert.Single(one.State.Roll.Nodes).Id);
    }

    [Fact]
    public async Task NodeThatStartsAgain_TakesItsOldPlace()
    {
        await using var server = await Servers.StartAsync();
        Func<SharedStateOptions, SharedStateOptions> ttl = static o => o with { Ttl = TimeSpan.FromSeconds(1) };
        var before = await TestNode.StartAsync(Servers.UrlOf(server), "a", ttl);
        await TestNode.MeetAsync(before);
        await before.DisposeAsync();

        await using var after = await TestNode.StartAsync(Servers.UrlOf(server), "a", ttl);
        await Eventually.IsTrueAsync(() => after.State.Roll.Nodes.Count == 1 && after.Nodes > 0, "only the one that runs is there");

        Assert.Empty(after.Said);
    }

    [Fact]
    public async Task TwoNodesOfOneName_AreBothSeenAndSaySo()
    {
        await using var server = await Servers.StartAsync();
        Func<SharedStateOptions, SharedStateOptions> ttl = static o => o with { Ttl = TimeSpan.FromSeconds(2) };
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "twin", ttl);
        await using var two = await TestNode.StartAsync(Servers.UrlOf(server), "twin", ttl);

        await Eventually.IsTrueAsync(() => one.Said.Any() && two.Said.Any(), "both say so");

        Assert.All(one.Said.Concat(two.Said), static s => Assert.Equal(
            "Warning: another node runs under this node's name, 'twin', at http://host:1. Give each its own with --node-id or RATELIMITER_NODE_ID", s));
        Assert.Equal(2, one.State.Roll.Nodes.Count);
        Assert.Equal(2, one.Nodes);
        // Not with every heartbeat.
        var until = one.State.Roll.AsOfMicros + 1_000_000;
        await Eventually.IsTrueAsync(() => one.State.Roll.AsOfMicros > until, "more heartbeats follow");
        Assert.Single(one.Said);
    }

    [Fact]
    public async Task NodesOfDifferentTimes_KeepTheirs()
    {
        await using var server = await Servers.StartAsync();
        await using var patient = await TestNode.StartAsync(Servers.UrlOf(server), "patient");
        await TestNode.MeetAsync(patient);
        var hasty = await TestNode.StartAsync(Servers.UrlOf(server), "hasty", static o => o with { Ttl = ShortTtl });
        await TestNode.MeetAsync(patient, hasty);
        await hasty.DisposeAsync();

        // The list must not end with the time of the one that needs it least.
        Assert.InRange(long.Parse(server.Call("PTTL", "weir:{nodes}").Text), 10_000, 30_000);
    }

    [Fact]
    public async Task NodesOfAnotherPrefix_AreNotSeen()
    {
        await using var server = await Servers.StartAsync();
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "a");
        await using var other = await TestNode.StartAsync(Servers.UrlOf(server), "b", static o => o with { Prefix = "other" });

        await TestNode.MeetAsync(one);
        await TestNode.MeetAsync(other);

        Assert.NotEqual(one.Seeds[0], other.Seeds[0]);
    }

    [Fact]
    public async Task NodeThatIsCutOff_KeepsWhatItKnewAndSaysWhy()
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var one = await TestNode.StartAsync($"redis://127.0.0.1:{proxy.Port}", "a", static o => o with { Ttl = ShortTtl });
        await using var two = await TestNode.StartAsync(Servers.UrlOf(server), "b", static o => o with { Ttl = ShortTtl });
        await TestNode.MeetAsync(one, two);

        proxy.HoldRequests = true;
        await Eventually.IsTrueAsync(() => one.State.Lost is not null && two.State.Roll.Nodes.Count == 1, "it is cut off, and the other sees it");

        Assert.Equal(2, one.State.Roll.Nodes.Count);
        Assert.Equal(2, one.Nodes);
        Assert.StartsWith($"Redis at redis://127.0.0.1:{proxy.Port}: ", one.State.Lost);
        proxy.HoldRequests = false;
        await TestNode.MeetAsync(one, two);
    }

    [Fact]
    public async Task ACardOfAnotherVersion_IsReadAsFarAsItIsKnown()
    {
        await using var server = await Servers.StartAsync();
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "a", static o => o with { Ttl = ShortTtl });
        await TestNode.MeetAsync(one);
        var now = $"{server.Call("TIME").Items[0].Text}000000";

        const string card = """{"address":"http://later:1","version":"9","state":"ready","mood":"good"}""";
        server.Call("HSET", "weir:{nodes}", "x", $"{now} 60000000 later {card}");
        server.Call("HSET", "weir:{nodes}", "y", $"{now} 60000000 broken nonsense");
        server.Call("HSET", "weir:{nodes}", "z", "nonsense");

        await Eventually.IsTrueAsync(() => one.State.Roll.Nodes.Count == 2, "the readable one is there");
        Assert.Equal("http://later:1", one.State.Roll.Nodes[1].Card.Address);
        Assert.Equal("0", server.Call("HEXISTS", "weir:{nodes}", "z").Text);
    }
}
