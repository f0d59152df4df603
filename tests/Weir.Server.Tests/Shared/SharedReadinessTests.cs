using Weir.Server.Tests.Http;
using Weir.TestKit.Redis;

namespace Weir.Server.Tests.Shared;

/// <summary>Whether a node should get requests while Redis is away, or is not what it should be.</summary>
public sealed class SharedReadinessTests
{
    [Fact]
    public async Task RedisAway_MakesANodeNotReady_UntilItIsBack()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(1);
        await nodes[0].IsReadyAsync();

        await nodes.Server.KillAsync();
        await Eventually.IsTrueAsync(async () => await nodes[0].NotReadyAsync() is not null, "the node is not ready");

        Assert.Equal($"Redis at {nodes.Url}: Nothing listens there. Start the server, or check host and port.", await nodes[0].NotReadyAsync());
        Assert.Equal(200, (await nodes[0].GetAsync("/health")).Status);
        Assert.Equal("degraded", (await nodes[0].GetAsync("/api/nodes")).Json.GetProperty("nodes")[0].GetProperty("state").GetString());
        Assert.Equal(503, (await nodes[0].GetAsync("/rate-limit/alice")).Status);
        await nodes.Server.StartAsync();
        await nodes[0].IsReadyAsync();
        await Eventually.IsTrueAsync(async () => (await nodes[0].GetAsync("/rate-limit/alice")).String("source") == "exact", "Redis decides");
    }

    [Fact]
    public async Task RedisSilent_MakesANodeNotReady_UntilItSpeaks()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(1, ("DECISION_TIMEOUT_MS", "50"));
        nodes.Server.Pause();
        try
        {
            await Eventually.IsTrueAsync(async () => await nodes[0].NotReadyAsync() is not null, "the node is not ready");
            Assert.StartsWith($"Redis at {nodes.Url}: ", await nodes[0].NotReadyAsync());
        }
        finally
        {
            nodes.Server.Resume();
        }
        await nodes[0].IsReadyAsync();
    }

    [Theory]
    [InlineData("open", 200)]
    [InlineData("local", 200)]
    public async Task APolicyThatAnswers_KeepsTheNodeReady(string policy, int status)
    {
        await using var nodes = await SharedNodes.WithNodesAsync(1, ("FAILURE_POLICY", policy), ("DEFAULT_LIMIT", "1000000"));

        await nodes.Server.KillAsync();
        await Eventually.IsTrueAsync(async () => (await nodes[0].GetAsync("/rate-limit/alice")).String("source") == "degraded", "the policy answers");

        // Until well after a node of another policy would have given up.
        var since = TimeProvider.System.GetTimestamp();
        await Eventually.IsTrueAsync(
            async () =>
            {
                Assert.Equal(status, (await nodes[0].GetAsync("/rate-limit/alice")).Status);
                Assert.Null(await nodes[0].NotReadyAsync());
                return TimeProvider.System.GetElapsedTime(since) > TimeSpan.FromSeconds(1.5);
            },
            "time has passed");
        Assert.Equal("degraded", (await nodes[0].GetAsync("/api/nodes")).Json.GetProperty("nodes")[0].GetProperty("state").GetString());
    }

    [Theory]
    [InlineData("closed", 503)]
    [InlineData("open", 200)]
    public async Task StartWithoutRedis_IsNotReadyWhateverThePolicy(string policy, int status)
    {
        await using var nodes = await SharedNodes.StartAsync();
        await nodes.Server.KillAsync();

        var node = await nodes.AddAsync(("FAILURE_POLICY", policy), ("LOG_LEVEL", "error"));

        Assert.Equal($"Redis at {nodes.Url}: Nothing listens there. Start the server, or check host and port.", await node.NotReadyAsync());
        Assert.Equal(200, (await node.GetAsync("/health")).Status);
        var reply = await node.GetAsync("/rate-limit/alice");
        Assert.Equal((status, "degraded"), (reply.Status, reply.String("source")));
        var list = await node.GetAsync("/api/nodes");
        Assert.Equal(("node-1", "starting"), (list.Json.GetProperty("nodes")[0].GetProperty("id").GetString(), list.Json.GetProperty("nodes")[0].GetProperty("state").GetString()));
        await nodes.Server.StartAsync();
        await node.IsReadyAsync();
        Assert.Equal("exact", (await node.GetAsync("/rate-limit/alice")).String("source"));
        await nodes.MeetAsync();
    }

    [Fact]
    public async Task PolicyOfTheServerThatIsChangedLater_IsNoticed()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(1, ("NODE_TTL_MS", "1200"));

        nodes.Server.Call("CONFIG", "SET", "maxmemory", "100mb");
        nodes.Server.Call("CONFIG", "SET", "maxmemory-policy", "allkeys-random");
        await Eventually.IsTrueAsync(async () => await nodes[0].NotReadyAsync() is not null, "it is noticed");

        Assert.Contains("maxmemory-policy is allkeys-random", await nodes[0].NotReadyAsync());
        nodes.Server.Call("CONFIG", "SET", "maxmemory-policy", "noeviction");
        await nodes[0].IsReadyAsync();
    }

    [Fact]
    public async Task ServerThatBecomesAReplica_IsNotUsed()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(1);

        nodes.Server.Call("REPLICAOF", "127.0.0.1", "1");
        await Eventually.IsTrueAsync(
            async () =>
            {
                await nodes[0].GetAsync("/rate-limit/alice");
                return await nodes[0].NotReadyAsync() is { } reason && reason.Contains("replica");
            },
            "it is noticed");

        Assert.Equal(503, (await nodes[0].GetAsync("/rate-limit/alice")).Status);
        nodes.Server.Call("REPLICAOF", "NO", "ONE");
        await nodes[0].IsReadyAsync();
    }

    [Fact]
    public async Task PasswordThatIsChangedLater_IsAReasonAndCured()
    {
        await using var nodes = await SharedNodes.StartAsync("--requirepass", "s3cret");
        var node = await nodes.AddAsync(("REDIS_URL", $"redis://:s3cret@127.0.0.1:{nodes.Server.Port}"), ("LOG_LEVEL", "error"));
        using (var client = PlainClient.Connect(nodes.Server.Port))
        {
            client.Call("AUTH", "s3cret");
            client.Call("CONFIG", "SET", "requirepass", "other");
            client.Call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
            await Eventually.IsTrueAsync(async () => await node.NotReadyAsync() is { } reason && reason.Contains("password is wrong"), "it is noticed");

            var reason = await node.NotReadyAsync();
            Assert.StartsWith($"Redis at {nodes.Url}: User or password is wrong", reason);
            Assert.DoesNotContain("s3cret", reason);
            client.Call("CONFIG", "SET", "requirepass", "s3cret");
        }
        await node.IsReadyAsync();
    }

    [Fact]
    public async Task UserOfTheDocumentation_MayAllThatIsNeeded()
    {
        await using var nodes = await SharedNodes.StartAsync("--user", "weir", "on", ">password", "~weir:*", "+@all", "-@dangerous", "+info");
        var node = await nodes.AddAsync(("REDIS_URL", $"redis://weir:password@127.0.0.1:{nodes.Server.Port}"), ("DEFAULT_LIMIT", "1"));

        await node.IsReadyAsync();
        Assert.Equal(200, (await node.GetAsync("/rate-limit/alice")).Status);
        Assert.Equal(429, (await node.GetAsync("/rate-limit/alice")).Status);
        Assert.Equal(1, (await node.SendAsync(HttpMethod.Put, "/api/limits/alice", """{"limit":9}""")).Number("applied"));
        var id = (await node.PostAsync("/reserve", """{"key":"alice","cost":2}""")).String("reservation");
        Assert.Equal(200, (await node.PostAsync("/commit", $$"""{"reservation":"{{id}}","actual":1}""")).Status);
        await Eventually.IsTrueAsync(async () => (await node.GetAsync("/api/counters")).Json.GetProperty("counters").GetArrayLength() == 1, "it is listed");
        Assert.Equal(200, (await node.SendAsync(HttpMethod.Delete, "/api/counters/alice")).Status);
    }

    // Nodes come together again within a second; until then they would allow twice.
    [Fact]
    public async Task AnotherSeed_IsAReasonForASecond()
    {
        await using var nodes = await SharedNodes.WithNodesAsync(1, ("LOG_LEVEL", "error"));

        nodes.Server.Call("SET", "weir:{nodes}:seed", new string('7', 64), "PX", "100000");
        await Eventually.IsTrueAsync(async () => await nodes[0].NotReadyAsync() is not null, "the node says so");

        await nodes[0].IsReadyAsync();
        Assert.Equal("exact", (await nodes[0].GetAsync("/rate-limit/alice")).String("source"));
    }
}
