using Weir.Server.Tests.Http;
using Weir.TestKit.Redis;

namespace Weir.Server.Tests.Shared;

/// <summary>Nodes over a Cluster, and over a primary that Sentinels name.</summary>
public sealed class SharedTopologiesTests
{
    [Fact]
    public async Task Cluster_IsSharedLikeOneServer()
    {
        Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
        await using var cluster = await RedisCluster.StartAsync(withReplicas: false);
        await using var one = await StartAsync(cluster.Url, "node-1");
        await using var two = await StartAsync(cluster.Url, "node-2");

        await ShareAsync(one, two);

        // Counters are spread over the primaries, and so are reservations.
        Assert.All(cluster.Servers, static s => Assert.NotEqual("0", s.Call("DBSIZE").Text));
        foreach (var server in cluster.Servers)
            Assert.All(server.Call("KEYS", "*").Items, k => Assert.True(long.Parse(server.Call("PTTL", k.Text).Text) > 0, k.Text));
    }

    [Fact]
    public async Task Sentinels_AreFollowedToAnotherPrimary()
    {
        Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
        await using var group = await RedisSentinel.StartAsync();
        await using var one = await StartAsync(group.Url, "node-1");
        await using var two = await StartAsync(group.Url, "node-2");
        await ShareAsync(one, two);
        await one.SendAsync(HttpMethod.Put, "/api/limits/kept", """{"limit":1}""");

        await group.Primary.KillAsync();
        await Eventually.IsTrueAsync(
            async () => (await one.GetAsync("/rate-limit/a?cost=0")).Status == 200 && (await two.GetAsync("/rate-limit/a?cost=0")).Status == 200,
            "the other primary decides", TimeSpan.FromSeconds(40));

        await Eventually.IsTrueAsync(async () => (await one.GetAsync("/api/nodes")).Json.GetProperty("nodes").GetArrayLength() == 2, "the nodes are listed");
        Assert.Equal(1, (await two.GetAsync("/rate-limit/kept?cost=0")).Number("limit"));
        await ShareAsync(one, two, "again");
    }

    private static async Task ShareAsync(RunningNode one, RunningNode two, string suffix = "")
    {
        await one.IsReadyAsync();
        await two.IsReadyAsync();
        await Eventually.IsTrueAsync(async () => (await one.GetAsync("/api/nodes")).Json.GetProperty("nodes").GetArrayLength() == 2, "both are there");
        for (var i = 0; i < 20; i++)
        {
            var replies = await Task.WhenAll(Enumerable.Range(0, 8).Select(j => (j % 2 == 0 ? one : two).GetAsync($"/rate-limit/key-{i}{suffix}")));
            Assert.Equal(5, replies.Count(static r => r.Status == 200));
            var id = (await one.PostAsync("/reserve", $$"""{"key":"r-{{i}}{{suffix}}","cost":5}""")).String("reservation");
            Assert.Equal(4, (await two.PostAsync("/commit", $$"""{"reservation":"{{id}}","actual":1}""")).Number("refunded"));
        }
        Assert.Equal(2, (await two.SendAsync(HttpMethod.Put, $"/api/limits/alice{suffix}", """{"limit":2}""")).Number("applied"));
        Assert.Equal(2, (await one.GetAsync($"/rate-limit/alice{suffix}")).Number("limit"));
    }

    private static Task<RunningNode> StartAsync(string url, string id) => RunningNode.OnRealTimeAsync(
        null, ("REDIS_URL", url), ("NODE_ID", id), ("DEFAULT_LIMIT", "5"), ("DECISION_TIMEOUT_MS", "2000"));
}
