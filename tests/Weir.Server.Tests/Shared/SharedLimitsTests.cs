using Weir.Server.Tests.Http;
using Weir.TestKit.Redis;

namespace Weir.Server.Tests.Shared;

/// <summary><c>/api/limits</c> over several nodes.</summary>
public sealed class SharedLimitsTests
{
    [Fact]
    public async Task Override_IsInForceOnEveryNodeWhenItIsAnswered()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(3);

        var set = await PutAsync(nodes[0], "alice", """{"limit":2,"window_ms":5000,"algorithm":"token-bucket","burst":4}""");

        Assert.Equal(
            (200, """{"key":"alice","limit":2,"window_ms":5000,"algorithm":"token-bucket","burst":4,"nodes":3,"applied":3}"""), (set.Status, set.Text));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(4, (await nodes[i].GetAsync("/rate-limit/alice?cost=0")).Number("limit"));
            Assert.Equal(
                """[{"key":"alice","limit":2,"window_ms":5000,"algorithm":"token-bucket","burst":4}]""",
                (await nodes[i].GetAsync("/api/limits")).Json.GetProperty("overrides").GetRawText());
        }
        var lifted = await nodes[2].SendAsync(HttpMethod.Delete, "/api/limits/alice");
        Assert.Equal((200, """{"key":"alice","nodes":3,"applied":3}"""), (lifted.Status, lifted.Text));
        for (var i = 0; i < 3; i++)
            Assert.Equal(100, (await nodes[i].GetAsync("/rate-limit/alice?cost=0")).Number("limit"));
        Assert.Contains("'alice' has no limit of its own", (await nodes[1].SendAsync(HttpMethod.Delete, "/api/limits/alice")).Problem(404, "key"));
    }

    [Fact]
    public async Task Override_KeepsWhatWasUsed_OnEveryNode()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(2);
        await nodes[0].GetAsync("/rate-limit/alice?cost=30");

        await PutAsync(nodes[1], "alice", """{"limit":31}""");

        Assert.Equal(1, await nodes[0].RemainingAsync("alice"));
        Assert.Equal(200, (await nodes[1].GetAsync("/rate-limit/alice")).Status);
        Assert.Equal(429, (await nodes[0].GetAsync("/rate-limit/alice")).Status);
    }

    [Fact]
    public async Task Override_WithAKeyOfAnyBytes_Travels()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(2);

        Assert.Equal(2, (await PutAsync(nodes[0], "%F0%9F%98%80%20a%2Fb%0A%22%7B%7D", """{"limit":1}""")).Number("applied"));

        Assert.Equal("😀 a/b\n\"{}", (await nodes[1].GetAsync("/api/limits")).Json.GetProperty("overrides")[0].GetProperty("key").GetString());
        Assert.Equal(1, (await nodes[1].GetAsync("/rate-limit/%F0%9F%98%80%20a%2Fb%0A%22%7B%7D")).Number("limit"));
    }

    [Fact]
    public async Task Override_WhileANodeIsAway_IsAnsweredAfterTwoSecondsWithTheCount()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(2);
        await nodes.KillAsync(1);

        var set = await PutAsync(nodes[0], "alice", """{"limit":2}""");

        Assert.Equal((200, 2, 1), (set.Status, set.Number("nodes"), set.Number("applied")));
        Assert.Equal(2, (await nodes[0].GetAsync("/rate-limit/alice")).Number("limit"));
    }

    [Fact]
    public async Task Override_WithoutRedis_IsRefusedAndChangesNothing()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(1);
        await PutAsync(nodes[0], "alice", """{"limit":2}""");
        await nodes.Server.KillAsync();
        await Eventually.IsTrueAsync(async () => await nodes[0].NotReadyAsync() is not null, "the node has noticed");

        var detail = (await PutAsync(nodes[0], "bob", """{"limit":2}""")).Problem(503, "engine");
        (await nodes[0].SendAsync(HttpMethod.Delete, "/api/limits/alice")).Problem(503, "engine");

        Assert.Equal($"engine: Redis at {nodes.Url}: Nothing listens there. Start the server, or check host and port.", detail);
        Assert.Equal("alice", Assert.Single((await nodes[0].GetAsync("/api/limits")).Json.GetProperty("overrides").EnumerateArray()).GetProperty("key").GetString());
    }

    [Fact]
    public async Task Override_ThatIsNotPossibleHere_IsLoggedAndDoesNotApply()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(1);

        const string limits = "weir:{nodes}:limits";
        nodes.Server.Call("HSET", limits, "alice", """{"algorithm":"sliding-window","limit":-5,"window_micros":1}""");
        nodes.Server.Call("HSET", limits, "bob", """{"algorithm":"fixed-window","limit":7,"window_micros":1000000}""");
        nodes.Server.Call("SET", "weir:{nodes}:limits:version", "1-x", "PX", "100000");

        await Eventually.IsTrueAsync(async () => (await nodes[0].GetAsync("/rate-limit/bob?cost=0")).Number("limit") == 7, "the good one applies");
        Assert.Equal(100, (await nodes[0].GetAsync("/rate-limit/alice?cost=0")).Number("limit"));
    }

    private static Task<Reply> PutAsync(RunningNode node, string key, string body) => node.SendAsync(HttpMethod.Put, $"/api/limits/{key}", body);
}
