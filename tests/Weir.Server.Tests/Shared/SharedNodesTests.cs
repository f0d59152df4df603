using Weir.Server.Tests.Http;
using Weir.TestKit.Redis;

namespace Weir.Server.Tests.Shared;

/// <summary>Nodes that decide as one, and know each other.</summary>
public sealed class SharedNodesTests
{
    [Fact]
    public async Task Limit_HoldsOverAllNodes()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(3, ("DEFAULT_LIMIT", "10"));

        var replies = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => nodes[i % 3].GetAsync("/rate-limit/alice")));

        Assert.Equal(10, replies.Count(static r => r.Status == 200));
        Assert.Equal(50, replies.Count(static r => r.Status == 429));
        Assert.All(replies, static r => Assert.NotEqual("degraded", r.String("source")));
    }

    [Fact]
    public async Task Receipt_IsGoodOnEveryNode()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(2);
        var taken = await nodes[0].PostAsync("/check", """{"key":"alice","cost":40}""");

        var refund = await nodes[1].PostAsync("/refund", $$"""{"key":"alice","cost":40,"receipt":"{{taken.String("receipt")}}"}""");

        Assert.Equal((200, 40), (refund.Status, refund.Number("refunded")));
        Assert.Equal(100, await nodes[0].RemainingAsync("alice"));
    }

    [Fact]
    public async Task Counters_AreListedAndResetOnEveryNode()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(2, ("DEFAULT_LIMIT", "2"));
        for (var i = 0; i < 4; i++)
            await nodes[0].GetAsync("/rate-limit/alice");

        await Eventually.IsTrueAsync(async () => (await nodes[1].GetAsync("/api/counters")).Json.GetProperty("counters").GetArrayLength() == 1, "the counter is listed");
        var block = (await nodes[1].GetAsync("/api/blocks")).Json.GetProperty("blocks")[0];
        Assert.Equal(("alice", "default"), (block.GetProperty("key").GetString(), block.GetProperty("rule").GetString()));
        Assert.Equal("""{"reset":1}""", (await nodes[1].SendAsync(HttpMethod.Delete, "/api/counters/alice")).Text);

        Assert.Equal(200, (await nodes[0].GetAsync("/rate-limit/alice")).Status);
        (await nodes[1].SendAsync(HttpMethod.Delete, "/api/counters/nobody")).Problem(404, "key");
    }

    [Fact]
    public async Task Nodes_AreListedByEachWithStateAndAddress()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(2);

        foreach (var node in new[] { nodes[0], nodes[1] })
        {
            await Eventually.IsTrueAsync(async () => !(await node.GetAsync("/api/nodes")).Text.Contains("starting"), "both are ready");
            var list = await node.GetAsync("/api/nodes");
            Assert.Equal("nodes as_of", list.Fields);
            for (var i = 0; i < 2; i++)
            {
                var entry = list.Json.GetProperty("nodes")[i];
                Assert.Equal("id address state engine version started_at last_seen", Reply.FieldsOf(entry));
                Assert.Equal(
                    ($"node-{i + 1}", $"http://host-{i + 1}:{nodes[i].Node.Address.Port}", "ready", "redis", BuildInfo.Version),
                    (entry.GetProperty("id").GetString(), entry.GetProperty("address").GetString(), entry.GetProperty("state").GetString(),
                        entry.GetProperty("engine").GetString(), entry.GetProperty("version").GetString()));
                Assert.True(entry.GetProperty("started_at").GetDateTime() <= entry.GetProperty("last_seen").GetDateTime().AddMilliseconds(50));
            }
        }
        await Eventually.IsTrueAsync(async () => await nodes[0].MetricAsync("ratelimiter_nodes") == 2, "it is counted");
    }

    [Fact]
    public async Task NodeThatStops_SaysSoAndIsGone()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(2, ("DRAIN_MS", "700"));

        var stopping = nodes[1].Node.StopAsync(default);
        await Eventually.IsTrueAsync(async () => (await nodes[0].GetAsync("/api/nodes")).Text.Contains("\"state\":\"stopping\""), "the other sees that it stops");
        await stopping;

        await Eventually.IsTrueAsync(async () => (await nodes[0].GetAsync("/api/nodes")).Json.GetProperty("nodes").GetArrayLength() == 1, "it is gone");
    }

    [Fact]
    public async Task NodeThatDies_IsGoneWhenItsTimeIsOver()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(2, ("NODE_TTL_MS", "800"));

        await nodes.KillAsync(1);

        Assert.Equal("2", nodes.Server.Call("HLEN", "weir:{nodes}").Text);
        await Eventually.IsTrueAsync(async () => (await nodes[0].GetAsync("/api/nodes")).Json.GetProperty("nodes").GetArrayLength() == 1, "it is gone");
        Assert.Equal("1", nodes.Server.Call("HLEN", "weir:{nodes}").Text);
    }

    [Fact]
    public async Task NodeThatIsCutOff_ListsWhatItKnew()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(2);

        await nodes.Server.KillAsync();
        await Eventually.IsTrueAsync(async () => (await nodes[0].GetAsync("/api/nodes")).String("note")!.Contains("Nothing listens"), "the node knows");

        var list = await nodes[0].GetAsync("/api/nodes");
        Assert.Equal((200, "nodes as_of note"), (list.Status, list.Fields));
        Assert.Equal(2, list.Json.GetProperty("nodes").GetArrayLength());
        Assert.Equal(
            $"The list is as this node knew it last. Redis at {nodes.Url}: Nothing listens there. Start the server, or check host and port.",
            list.String("note"));
    }

    [Fact]
    public async Task RedisThatComesBackEmpty_GetsEverythingBack()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(2, ("DEFAULT_LIMIT", "5"));
        await nodes[0].SendAsync(HttpMethod.Put, "/api/limits/alice", """{"limit":1}""");
        var seed = nodes.Server.Call("GET", "weir:{nodes}:seed").Text;
        await nodes.Server.KillAsync();
        await Eventually.IsTrueAsync(async () => await nodes[0].NotReadyAsync() is not null && await nodes[1].NotReadyAsync() is not null, "both notice");

        await nodes.Server.StartAsync();
        await nodes[0].IsReadyAsync();
        await nodes[1].IsReadyAsync();
        await nodes.MeetAsync();

        Assert.Equal(seed, nodes.Server.Call("GET", "weir:{nodes}:seed").Text);
        Assert.Equal(200, (await nodes[1].GetAsync("/rate-limit/alice")).Status);
        Assert.Equal(429, (await nodes[0].GetAsync("/rate-limit/alice")).Status);
        // Counters that the nodes name alike.
        var replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => nodes[i % 2].GetAsync("/rate-limit/bob")));
        Assert.Equal(5, replies.Count(static r => r.Status == 200));
        var third = await nodes.AddAsync(("DEFAULT_LIMIT", "5"));
        Assert.Equal(429, (await third.GetAsync("/rate-limit/bob")).Status);
    }

    [Fact]
    public async Task FlushAll_LosesNoSeedAndNoOverride()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(2);
        await nodes[0].SendAsync(HttpMethod.Put, "/api/limits/alice", """{"limit":0}""");
        var seed = nodes.Server.Call("GET", "weir:{nodes}:seed").Text;

        nodes.Server.Call("FLUSHALL");
        await Eventually.IsTrueAsync(() => nodes.Server.Call("HLEN", "weir:{nodes}:limits").Text == "1", "the override is back");

        Assert.Equal(seed, nodes.Server.Call("GET", "weir:{nodes}:seed").Text);
        // For a second the nodes tell Redis what they know, and failure policies answer.
        await Eventually.IsTrueAsync(async () => (await nodes[1].GetAsync("/rate-limit/alice")).Status == 429, "Redis decides again");
    }

    // A node without the seed would name counters as nobody else does, and let everything pass once more.
    [Fact]
    public async Task NodeThatStartsWithoutRedis_DecidesOnlyWithTheOthers()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(1, ("DEFAULT_LIMIT", "3"));
        nodes.Server.Pause();
        RunningNode late;
        try
        {
            late = await nodes.AddAsync(("DEFAULT_LIMIT", "3"));
            Assert.Equal(503, (await late.GetAsync("/rate-limit/alice")).Status);
        }
        finally
        {
            nodes.Server.Resume();
        }
        await nodes[0].IsReadyAsync();
        await late.IsReadyAsync();

        var replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => nodes[i % 2].GetAsync("/rate-limit/alice")));

        Assert.Equal(3, replies.Count(static r => r.Status == 200));
    }
}
