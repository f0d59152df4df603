using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Sharing;

/// <summary>Limits that Redis has lost: nodes put back what they know, and the newest stays.</summary>
public sealed class RestoredOverridesTests
{
    [Fact]
    public async Task AfterFlushAll_TheyArePutBack()
    {
        await using var server = await Servers.StartAsync();
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "a");
        await using var two = await TestNode.StartAsync(Servers.UrlOf(server), "b");
        await TestNode.MeetAsync(one, two);
        await one.SetAsync("alice", 5);
        await one.SetAsync("bob", 6);
        var version = server.Call("GET", "weir:{nodes}:limits:version").Text;

        server.Call("FLUSHALL");
        await Eventually.IsTrueAsync(() => server.Call("GET", "weir:{nodes}:limits:version").Text == version, "the version is back");

        Assert.Equal("2", server.Call("HLEN", "weir:{nodes}:limits").Text);
        Assert.Equal(["alice=5 bob=6", "alice=5 bob=6"], [one.Limits, two.Limits]);
        await Eventually.IsTrueAsync(
            () => one.Said.Concat(two.Said).Any(static s => s == "Warning: Redis had lost limits of single keys; this node has put back 2"), "the one that did it says so");
        Assert.All(Servers.KeysOf(server), static k => Assert.True(k.Value > 0, k.Key));
        await TestNode.MeetAsync(one, two);
        Assert.Equal(new OverrideSpread(OverrideOutcome.Done, 2, 2), await two.SetAsync("alice", 7));
        Assert.Equal(one.Limits, two.Limits);
    }

    [Fact]
    public async Task AfterRedisWasKilled_TheyAreThereForANewNode()
    {
        await using var server = await Servers.StartAsync();
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "a");
        await one.SetAsync("alice", 5);

        await server.KillAsync();
        await Eventually.IsTrueAsync(() => one.State.Lost is not null, "the node has noticed");
        await server.StartAsync();
        await Eventually.IsTrueAsync(() => server.Call("HLEN", "weir:{nodes}:limits").Text == "1", "they are back");

        await using var two = await TestNode.StartAsync(Servers.UrlOf(server), "b");
        Assert.Equal("alice=5", two.Limits);
    }

    // The one that has missed the last change must not bring back what was before it.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AfterFlushAll_TheNewestWins(bool lagsFirst)
    {
        await using var server = await Servers.StartAsync();
        await using var toOne = new FaultyProxy(server.Port);
        await using var toTwo = new FaultyProxy(server.Port);
        await using var one = await TestNode.StartAsync($"redis://127.0.0.1:{toOne.Port}", "a", SpreadQuickly);
        await using var two = await TestNode.StartAsync($"redis://127.0.0.1:{toTwo.Port}", "b");
        await TestNode.MeetAsync(one, two);
        await one.SetAsync("alice", 1);
        await one.SetAsync("bob", 1);
        await Eventually.IsTrueAsync(() => two.Limits == "alice=1 bob=1", "both know both");
        toTwo.HoldRequests = true;
        await one.SetAsync("alice", 2);
        await one.LiftAsync("bob");
        toOne.HoldRequests = true;

        server.Call("FLUSHALL");
        (lagsFirst ? toTwo : toOne).HoldRequests = false;
        await Eventually.IsTrueAsync(() => server.Call("EXISTS", "weir:{nodes}:limits:version").Text == "1", "the first has put back what it knows");
        Assert.Equal(lagsFirst ? "2" : "1", server.Call("HLEN", "weir:{nodes}:limits").Text);
        (lagsFirst ? toOne : toTwo).HoldRequests = false;

        await Eventually.IsTrueAsync(() => one.Limits == "alice=2" && two.Limits == "alice=2", "both have the newest");
        Assert.Equal("1", server.Call("HLEN", "weir:{nodes}:limits").Text);
    }

    // All limits lifted is also a state that a node which missed it must not undo.
    [Fact]
    public async Task AfterFlushAll_LiftedLimitsStayLifted()
    {
        await using var server = await Servers.StartAsync();
        await using var toTwo = new FaultyProxy(server.Port);
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "a", SpreadQuickly);
        await using var two = await TestNode.StartAsync($"redis://127.0.0.1:{toTwo.Port}", "b");
        await TestNode.MeetAsync(one, two);
        await one.SetAsync("alice", 1);
        await Eventually.IsTrueAsync(() => two.Limits == "alice=1", "both know it");
        toTwo.HoldRequests = true;
        await one.LiftAsync("alice");
        await Eventually.IsTrueAsync(() => one.Limits == "", "one has lifted it");

        server.Call("FLUSHALL");
        toTwo.HoldRequests = false;
        await Eventually.IsTrueAsync(() => two.Limits == "", "the other lifts it too");

        Assert.Equal("", one.Limits);
        Assert.Equal("0", server.Call("EXISTS", "weir:{nodes}:limits").Text);
    }

    // What was acknowledged before Redis lost it, and what is changed while nodes put that back, must both survive.
    [Fact]
    public async Task AChangeRightAfterFlushAll_ComesOnTopOfWhatIsPutBack()
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var one = await TestNode.StartAsync($"redis://127.0.0.1:{proxy.Port}", "a");
        await using var two = await TestNode.StartAsync(Servers.UrlOf(server), "b", static o => o with { PollInterval = TimeSpan.FromSeconds(10) });
        await TestNode.MeetAsync(one, two);
        await one.SetAsync("alice", 1);
        two.State.Wake();
        await Eventually.IsTrueAsync(() => two.State.Roll.Nodes.Count == 2 && two.State.Roll.Nodes[0].Card.Overrides.Length > 0, "two knows how far one is");

        // Two has not looked since, and knows of the others only what they told.
        server.Call("FLUSHALL");
        var spread = await two.SetAsync("bob", 2);

        Assert.Equal(OverrideOutcome.Done, spread.Outcome);
        await Eventually.IsTrueAsync(() => one.Limits == "alice=1 bob=2" && two.Limits == one.Limits, "both have both");
    }

    [Fact]
    public async Task RedisThatComesBackWithOldData_IsCorrected()
    {
        await using var server = await Servers.StartAsync();
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "a");
        await one.SetAsync("alice", 1);
        var (version, old) = (server.Call("GET", "weir:{nodes}:limits:version").Text, server.Call("HGET", "weir:{nodes}:limits", "alice").Text);
        await one.SetAsync("alice", 2);
        await one.SetAsync("bob", 2);

        using (var client = PlainClient.Connect(server.Port))
        {
            client.Call("MULTI");
            client.Call("DEL", "weir:{nodes}:limits");
            client.Call("HSET", "weir:{nodes}:limits", "alice", old);
            client.Call("SET", "weir:{nodes}:limits:version", version, "PX", "100000");
            client.Call("EXEC");
        }

        await Eventually.IsTrueAsync(() => server.Call("HLEN", "weir:{nodes}:limits").Text == "2", "the newer ones are back");
        Assert.Equal("alice=2 bob=2", one.Limits);
        await using var two = await TestNode.StartAsync(Servers.UrlOf(server), "b");
        Assert.Equal("alice=2 bob=2", two.Limits);
    }

    // Two histories of the same length: Redis lost one and began another. Numbers alone do not tell them apart.
    [Fact]
    public async Task AnotherHistoryOfTheSameLength_IsReadWhole()
    {
        await using var server = await Servers.StartAsync();
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "a");
        await one.SetAsync("alice", 1);

        using (var client = PlainClient.Connect(server.Port))
        {
            client.Call("MULTI");
            client.Call("DEL", "weir:{nodes}:limits");
            client.Call("HSET", "weir:{nodes}:limits", "bob", """{"algorithm":"fixed-window","limit":9,"window_micros":1000000}""");
            client.Call("PEXPIRE", "weir:{nodes}:limits", "100000");
            client.Call("SET", "weir:{nodes}:limits:version", "1-other", "PX", "100000");
            client.Call("EXEC");
        }

        await Eventually.IsTrueAsync(() => one.Limits == "bob=9", "the other history is taken over");
    }

    // One command with all of them would keep the server from decisions.
    [Fact]
    public async Task ManyLimits_ArePutBackInSmallPieces()
    {
        await using var server = await Servers.StartAsync();
        const string fill = """for i = 1, 20000 do redis.call('HSET', KEYS[1], 'k' .. i, '{"algorithm":"fixed-window","limit":1,"window_micros":1000000}') end""";
        server.Call("EVAL", fill, "1", "weir:{nodes}:limits");
        server.Call("PEXPIRE", "weir:{nodes}:limits", "1000000");
        server.Call("SET", "weir:{nodes}:limits:version", "5-x", "PX", "1000000");
        await using var node = await TestNode.StartAsync(Servers.UrlOf(server));
        Assert.Equal(20_000, node.LimitCount);
        server.Call("CONFIG", "SET", "slowlog-max-len", "100000");
        server.Call("CONFIG", "SET", "slowlog-log-slower-than", "0");

        server.Call("FLUSHALL");
        await Eventually.IsTrueAsync(() => server.Call("HLEN", "weir:{nodes}:limits").Text == "20000", "all are back");

        // The log keeps 31 arguments of a command, and says how many more there were.
        var large = server.Call("SLOWLOG", "GET", "100000").Items.Select(static e => e.Items[3].Items[^1].Text)
            .Where(static t => t.EndsWith("more arguments)")).Select(static t => int.Parse(t.Split('(')[1].Split(' ')[0])).ToList();
        Assert.InRange(large.Count, 40, 60);
        Assert.All(large, static n => Assert.InRange(n, 0, 1_000));
    }

    private static SharedStateOptions SpreadQuickly(SharedStateOptions options) => options with { SpreadTimeout = TimeSpan.FromMilliseconds(100) };
}
