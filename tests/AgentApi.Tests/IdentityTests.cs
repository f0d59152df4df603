using AgentApi.Tests.Servers;
using Weir.TestKit.Redis;

namespace AgentApi.Tests;

/// <summary>Who answers, and how often.</summary>
public sealed class IdentityTests(Stores stores)
{
    [Fact]
    public async Task EveryAnswer_SaysWhoServedIt()
    {
        Stores.SkipWithoutServers();
        await using var agent = await Agent.StartAsync(stores, ("INSTANCE_NAME", "agent-7"));

        foreach (var path in new[] { "/", "/health", "/health/live", "/config", "/stats", "/visits", "/load-test", "/users", "/conversations", "/nothing", "/load-test?work=x" })
        {
            var heard = await agent.Client.GetHeardAsync(path);

            var by = heard["served_by"];
            Assert.Equal((path, "agent-7"), (path, by.GetProperty("instance").GetString()));
            Assert.Equal(Environment.MachineName, by.GetProperty("hostname").GetString());
            Assert.True(by.TryGetProperty("container_id", out _));
            Assert.Equal("agent-7", heard.Headers["X-Served-By"]);
            Assert.Matches("^[0-9a-f]{32}$", heard.Headers["X-Request-ID"]);
        }
    }

    [Fact]
    public async Task RequestId_ThatIsWellFormed_IsKept_AndAnyOtherReplaced()
    {
        Stores.SkipWithoutServers();
        await using var agent = await Agent.StartAsync(stores);

        Assert.Equal("trace-1.2:x_Y", await AskAsync("trace-1.2:x_Y"));
        foreach (var forged in new[] { "two words", "semi;colon", "<b>", new string('x', 129), "a,b", "%0aforged" })
            Assert.Matches("^[0-9a-f]{32}$", await AskAsync(forged));

        async Task<string> AskAsync(string id)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/nothing");
            request.Headers.TryAddWithoutValidation("X-Request-ID", id);
            var heard = await AgentCalls.ReadAsync(await agent.Client.SendAsync(request));
            Assert.Equal(heard.Headers["X-Request-ID"], heard["request_id"].GetString());
            return heard.Headers["X-Request-ID"];
        }
    }

    [Fact]
    public async Task Visits_AreCountedOverAllInstances_AndRequestsForEach()
    {
        Stores.SkipWithoutServers();
        await using var redis = await RedisServer.StartAsync();
        var variables = Agent.Variables(stores.Postgres, await stores.Postgres.CreateDatabaseAsync(), redis, redisPassword: null);
        await using var one = await Agent.StartAsync(variables, ("INSTANCE_NAME", "one"));
        await using var two = await Agent.StartAsync(variables, ("INSTANCE_NAME", "two"));

        var counts = new List<long>();
        for (var i = 0; i < 20; i++)
            counts.Add((await (i % 4 == 0 ? one : two).Client.GetHeardAsync("/"))["visits"].GetInt64());
        var seen = await one.Client.GetHeardAsync("/visits");

        Assert.Equal(Enumerable.Range(1, 20).Select(static i => (long)i), counts);
        Assert.Equal(20, seen["visits"].GetInt64());
        var instances = seen["instances"].EnumerateArray().ToDictionary(static i => i.GetProperty("instance").GetString()!, static i => i.GetProperty("requests").GetInt64());
        // Its question about visits is the sixth of the first.
        Assert.Equal(new Dictionary<string, long> { ["one"] = 6, ["two"] = 15 }, instances);
        Assert.Equal(("20", "6", "15"), (Text("visits"), Text("requests:one"), Text("requests:two")));
        Assert.InRange(int.Parse(redis.Call("TTL", "requests:one").Text), 1, 30 * 86_400);

        string Text(string key) => redis.Call("GET", key).Text;
    }

    [Fact]
    public async Task LoadTest_DoesWorkOfAChosenAmount_AndNoMore()
    {
        Stores.SkipWithoutServers();
        await using var agent = await Agent.StartAsync(stores);

        var two = await agent.Client.GetHeardAsync("/load-test?work=2");

        // SHA-256 of SHA-256 of 32 zero bytes.
        Assert.Equal("2b32db6c2c0a6235fb1397e8225ea85e0f0e6e8c7b126d0016ccbde0e667151e", two["digest"].GetString());
        Assert.Equal(400, (await agent.Client.GetHeardAsync("/load-test?work=50001")).Status);
        Assert.Equal(400, (await agent.Client.GetHeardAsync("/load-test?work=0")).Status);
        Assert.Equal(200, (await agent.Client.GetHeardAsync("/load-test?work=50000")).Status);
    }

    [Fact]
    public async Task Stats_TellMemoryAndConnections()
    {
        Stores.SkipWithoutServers();
        await using var agent = await Agent.StartAsync(stores);
        await agent.Client.GetHeardAsync("/users");

        var stats = await agent.Client.GetHeardAsync("/stats");

        Assert.InRange(stats["memory"].GetProperty("working_set_bytes").GetInt64(), 10_000_000, 1_000_000_000);
        Assert.InRange(stats["database"].GetProperty("connections").GetInt64(), 1, 60);
        Assert.Equal(60, stats["database"].GetProperty("max_connections").GetInt64());
        Assert.InRange(stats["cache"].GetProperty("connections").GetInt64(), 1, 1_000);
        Assert.Equal(2, stats["requests"].GetProperty("total").GetInt64());
        Assert.Equal(1, stats["requests"].GetProperty("active").GetInt64());
    }
}
