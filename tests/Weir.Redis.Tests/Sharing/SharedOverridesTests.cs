using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Sharing;

/// <summary>Limits of single keys that hold on every node.</summary>
public sealed class SharedOverridesTests
{
    [Fact]
    public async Task Change_IsInForceEverywhereWhenItIsAnswered()
    {
        await using var server = await Servers.StartAsync();
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "a");
        await using var two = await TestNode.StartAsync(Servers.UrlOf(server), "b");
        await using var three = await TestNode.StartAsync(Servers.UrlOf(server), "c");
        await TestNode.MeetAsync(one, two, three);

        for (var i = 1; i <= 20; i++)
        {
            var node = i % 2 == 0 ? one : two;
            Assert.Equal(new OverrideSpread(OverrideOutcome.Done, 3, 3), await node.SetAsync("alice", i));
            Assert.Equal([$"alice={i}", $"alice={i}", $"alice={i}"], [one.Limits, two.Limits, three.Limits]);
        }
        Assert.Equal(new OverrideSpread(OverrideOutcome.Done, 3, 3), await three.LiftAsync("alice"));
        Assert.Equal(["", "", ""], [one.Limits, two.Limits, three.Limits]);
        Assert.Equal(OverrideOutcome.NotThere, (await one.LiftAsync("alice")).Outcome);
    }

    [Fact]
    public async Task NodeThatStartsLater_HasThemAll()
    {
        await using var server = await Servers.StartAsync();
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "a");
        await one.SetAsync("b c\n{}", 2);
        await one.SetAsync("é😀", 1);
        await one.SetAsync("gone", 3);
        await one.LiftAsync("gone");

        await using var two = await TestNode.StartAsync(Servers.UrlOf(server), "b");

        Assert.Equal("b c\n{}=2 é😀=1", two.Limits);
        Assert.Equal(one.Limits, two.Limits);
    }

    [Fact]
    public async Task ChangesFromManyNodesAtOnce_EndAlike()
    {
        await using var server = await Servers.StartAsync();
        var nodes = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => TestNode.StartAsync(Servers.UrlOf(server), $"n{i}")));
        await TestNode.MeetAsync(nodes);

        await Task.WhenAll(nodes.SelectMany((n, i) => Enumerable.Range(0, 40).Select(j =>
            (i + j) % 5 == 0 ? n.LiftAsync($"k{j % 7}") : n.SetAsync($"k{j % 7}", (100 * i) + j))));
        await Eventually.IsTrueAsync(() => nodes.Select(static n => n.Limits).Distinct().Count() == 1, "all have the same");

        var inRedis = server.Call("HGETALL", "weir:{nodes}:limits").Items.Chunk(2).OrderBy(static p => p[0].Text, StringComparer.Ordinal)
            .Select(static p => $"{p[0].Text}={OverrideLimit.Read(p[1].Text)!.Limit}");
        Assert.Equal(string.Join(' ', inRedis), nodes[0].Limits);
        foreach (var node in nodes)
            await node.DisposeAsync();
    }

    [Fact]
    public async Task NodeThatIsCutOff_IsTold_AndFollowsLater()
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "a", static o => o with { SpreadTimeout = TimeSpan.FromMilliseconds(500) });
        await using var two = await TestNode.StartAsync($"redis://127.0.0.1:{proxy.Port}", "b");
        await TestNode.MeetAsync(one, two);

        proxy.HoldReplies = true;
        var since = TimeProvider.System.GetTimestamp();
        var spread = await one.SetAsync("alice", 5);

        Assert.Equal(new OverrideSpread(OverrideOutcome.Done, 2, 1), spread);
        Assert.True(TimeProvider.System.GetElapsedTime(since) >= TimeSpan.FromMilliseconds(500));
        Assert.Equal("", two.Limits);
        proxy.HoldReplies = false;
        await Eventually.IsTrueAsync(() => two.Limits == "alice=5", "it follows");
    }

    [Fact]
    public async Task NodeThatMissedALot_ReadsItAll()
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "a", static o => o with { SpreadTimeout = TimeSpan.Zero });
        await using var two = await TestNode.StartAsync($"redis://127.0.0.1:{proxy.Port}", "b");
        await TestNode.MeetAsync(one, two);
        await one.SetAsync("first", 1);
        await Eventually.IsTrueAsync(() => two.Limits == "first=1", "both have the first");

        proxy.HoldRequests = true;
        await Task.WhenAll(Enumerable.Range(0, SharedOverrides.LogSize + 10).Select(i => one.SetAsync($"k{i:d5}", i)));
        await one.LiftAsync("first");
        proxy.HoldRequests = false;

        await Eventually.IsTrueAsync(() => two.LimitCount == SharedOverrides.LogSize + 10 && two.Limits == one.Limits, "it has them all");
    }

    [Fact]
    public async Task ALimitThatCannotBeRead_IsToldAndDoesNotApply()
    {
        await using var server = await Servers.StartAsync();
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "a");
        await one.SetAsync("alice", 1);
        server.Call("HSET", "weir:{nodes}:limits", "eve", "nonsense");

        await using var two = await TestNode.StartAsync(Servers.UrlOf(server), "b");

        Assert.Equal("alice=1", two.Limits);
        Assert.Equal("Error: the limit of the key 'eve' in Redis cannot be read and does not apply; set it again through /api/limits", Assert.Single(two.Said));
    }

    [Fact]
    public async Task RedisAway_IsSaid()
    {
        await using var server = await Servers.StartAsync();
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "a");
        await TestNode.MeetAsync(one);
        await server.KillAsync();
        await Eventually.IsTrueAsync(() => one.State.Lost is not null, "the node has noticed");

        var failure = await Assert.ThrowsAsync<SharedStateException>(() => one.SetAsync("alice", 1));

        Assert.False(failure.MayHaveHappened);
        Assert.StartsWith($"Redis at redis://127.0.0.1:{server.Port}: ", failure.Message);
    }

    // It was answered with a failure, so it must not happen later.
    [Fact]
    public async Task AChangeThatReachesRedisTooLate_IsNotMade()
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var one = await TestNode.StartAsync($"redis://127.0.0.1:{proxy.Port}", "a");
        await TestNode.MeetAsync(one);

        proxy.HoldRequests = true;
        var failure = await Assert.ThrowsAsync<SharedStateException>(() => one.SetAsync("alice", 1));
        Assert.True(failure.MayHaveHappened);
        proxy.HoldRequests = false;
        await Eventually.IsTrueAsync(() => one.State.Lost is null, "the node is back");
        await one.SetAsync("bob", 1);

        Assert.Equal("bob=1", one.Limits);
        Assert.Equal("0", server.Call("HEXISTS", "weir:{nodes}:limits", "alice").Text);
    }

    [Fact]
    public async Task TheBound_HoldsOverAllNodes()
    {
        await using var server = await Servers.StartAsync();
        const string fill = """for i = 1, ARGV[1] do redis.call('HSET', KEYS[1], 'k' .. i, '{"algorithm":"fixed-window","limit":1,"window_micros":1000000}') end""";
        server.Call("EVAL", fill, "1", "weir:{nodes}:limits", $"{SharedOverrides.Max - 1}");
        server.Call("PEXPIRE", "weir:{nodes}:limits", "1000000");
        server.Call("SET", "weir:{nodes}:limits:version", "5-x", "PX", "1000000");
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "a");
        await using var two = await TestNode.StartAsync(Servers.UrlOf(server), "b");
        await TestNode.MeetAsync(one, two);
        Assert.Equal(SharedOverrides.Max - 1, two.LimitCount);

        Assert.Equal(OverrideOutcome.Done, (await one.SetAsync("last", 1)).Outcome);
        Assert.Equal(OverrideOutcome.Full, (await two.SetAsync("one more", 1)).Outcome);
        Assert.Equal(OverrideOutcome.Done, (await two.SetAsync("k7", 2)).Outcome);
        Assert.Equal(OverrideOutcome.Done, (await two.LiftAsync("k8")).Outcome);
        Assert.Equal(OverrideOutcome.Done, (await one.SetAsync("one more", 1)).Outcome);

    }
}
