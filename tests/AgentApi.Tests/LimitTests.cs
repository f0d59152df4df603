using AgentApi.Tests.Servers;
using Weir.TestKit.Redis;

namespace AgentApi.Tests;

/// <summary>What a client may do, decided by a cluster of real nodes.</summary>
public sealed class LimitTests(Stores stores)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Address_HasOneLimitOverAllInstances_Exactly()
    {
        Stores.SkipWithoutServers();
        await using var cluster = await Cluster.StartAsync(2);
        var variables = await VariablesAsync(cluster, ("LIMIT_ADDRESS_PER_MINUTE", "10"));
        await using var one = await Agent.StartAsync(variables);
        await using var two = await Agent.StartAsync(variables);
        await Task.WhenAll(LimiterIsAsync(one, "ok"), LimiterIsAsync(two, "ok"));

        var heard = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => (i % 2 == 0 ? one : two).Client.GetHeardAsync("/load-test?work=1")));

        Assert.Equal(10, heard.Count(static h => h.Status == 200));
        Assert.All(heard, static h => Assert.Equal("10", h.Headers["X-RateLimit-Limit"]));
        Assert.Equal(Enumerable.Range(0, 10).Select(static i => $"{i}"), heard.Where(static h => h.Status == 200).Select(static h => h.Headers["X-RateLimit-Remaining"]).Order(StringComparer.Ordinal));
        foreach (var refused in heard.Where(static h => h.Status != 200))
        {
            Assert.Equal((429, "address", "application/problem+json"), (refused.Status, refused["limit"].GetString(), refused.Headers["Content-Type"]));
            Assert.InRange(int.Parse(refused.Headers["Retry-After"]), 1, 60);
            Assert.StartsWith("\"address\";r=0;t=", refused.Headers["RateLimit"], StringComparison.Ordinal);
            Assert.Equal(System.Text.Json.JsonValueKind.String, refused["served_by"].GetProperty("instance").ValueKind);
        }
        // Balancers go on asking for the health.
        Assert.Equal(200, (await one.HealthAsync()).Status);
    }

    [Fact]
    public async Task User_HasOneLimitWhateverTheAddress_AndOthersTheirOwn()
    {
        Stores.SkipWithoutServers();
        await using var cluster = await Cluster.StartAsync(1);
        await using var agent = await Agent.StartAsync(await VariablesAsync(cluster, ("LIMIT_USER_PER_MINUTE", "3"), ("TRUSTED_PROXIES", "127.0.0.1")));
        await LimiterIsAsync(agent, "ok");
        using var alice = agent.As(Agent.AliceKey);
        using var bob = agent.As(Agent.BobKey);

        for (var i = 0; i < 3; i++)
            Assert.Equal(200, (await FromAsync(alice, $"192.0.2.{i}")).Status);
        var refused = await FromAsync(alice, "192.0.2.9");

        Assert.Equal((429, "user"), (refused.Status, refused["limit"].GetString()));
        Assert.Equal(200, (await FromAsync(bob, "192.0.2.9")).Status);
        Assert.Equal(200, (await FromAsync(agent.Client, "192.0.2.9")).Status);
    }

    [Fact]
    public async Task ForwardedHeaders_OfStrangers_DoNotChangeTheKey()
    {
        Stores.SkipWithoutServers();
        await using var cluster = await Cluster.StartAsync(1);
        await using var agent = await Agent.StartAsync(await VariablesAsync(cluster, ("LIMIT_ADDRESS_PER_MINUTE", "5")));
        await LimiterIsAsync(agent, "ok");

        var statuses = new List<int>();
        for (var i = 0; i < 12; i++)
            statuses.Add((await FromAsync(agent.Client, $"198.51.100.{i}", $"for=198.51.100.{i}")).Status);

        Assert.Equal(5, statuses.Count(static s => s == 200));
        Assert.All(statuses.Skip(5), static s => Assert.Equal(429, s));
    }

    // The proxy adds whom it saw at the end; what the client wrote before that is the client's word only.
    [Fact]
    public async Task ForwardedHeaders_OfATrustedProxy_NameTheClient_AndNotWhatTheClientWrote()
    {
        Stores.SkipWithoutServers();
        await using var cluster = await Cluster.StartAsync(1);
        await using var agent = await Agent.StartAsync(await VariablesAsync(cluster, ("LIMIT_ADDRESS_PER_MINUTE", "5"), ("TRUSTED_PROXIES", "127.0.0.0/8")));
        await LimiterIsAsync(agent, "ok");

        var spoofing = new List<int>();
        for (var i = 0; i < 8; i++)
            spoofing.Add((await FromAsync(agent.Client, $"203.0.113.{i}, 192.0.2.1")).Status);
        var other = await FromAsync(agent.Client, "203.0.113.1, 192.0.2.2");

        Assert.Equal([200, 200, 200, 200, 200, 429, 429, 429], spoofing);
        Assert.Equal(200, other.Status);
    }

    [Fact]
    public async Task Tokens_AreReservedBefore_AndCorrectedAfter()
    {
        Stores.SkipWithoutServers();
        await using var cluster = await Cluster.StartAsync(1);
        await using var agent = await Agent.StartAsync(await VariablesAsync(cluster, ("LIMIT_TOKENS_PER_MINUTE", "1000")));
        await LimiterIsAsync(agent, "ok");
        using var alice = agent.As(Agent.AliceKey);
        var conversation = await alice.BeginAsync();

        // Each reserves 900 of 1,000 and uses some 30: five fit only because the rest is given back, and by time alone not in 20 s.
        for (var i = 0; i < 5; i++)
        {
            Heard said = null!;
            await Eventually.IsTrueAsync(
                async () => (said = await SayAsync(890)).Status == 201, "what was reserved has been given back");
            Assert.InRange(said["usage"].GetProperty("total_tokens").GetInt32(), 10, 60);
        }
        var never = await SayAsync(1_000);
        Assert.Equal((429, "tokens"), (never.Status, never["limit"].GetString()));
        Assert.Equal(System.Text.Json.JsonValueKind.Null, never["retry_after_ms"].ValueKind);
        Assert.False(never.Headers.ContainsKey("Retry-After"));

        Task<Heard> SayAsync(int maxTokens) => alice.PostHeardAsync($"{conversation}/messages?max_tokens={maxTokens}", new { content = "hello" });
    }

    [Fact]
    public async Task Tokens_ThatAreSpent_AreRefused_AndNothingIsStored()
    {
        Stores.SkipWithoutServers();
        await using var cluster = await Cluster.StartAsync(1);
        await using var agent = await Agent.StartAsync(await VariablesAsync(cluster, ("LIMIT_TOKENS_PER_MINUTE", "100")));
        await LimiterIsAsync(agent, "ok");
        using var alice = agent.As(Agent.AliceKey);
        using var bob = agent.As(Agent.BobKey);
        var conversation = await alice.BeginAsync();

        // 200 bytes are 50 tokens, and the answer ends at 30: about 80 of 100 are spent, and 80 more do not fit for half a minute.
        var spent = await SayAsync();
        var refused = await SayAsync();

        Assert.Equal((201, 80), (spent.Status, spent["usage"].GetProperty("total_tokens").GetInt32()));
        Assert.Equal((429, "tokens"), (refused.Status, refused["limit"].GetString()));
        Assert.InRange(int.Parse(refused.Headers["Retry-After"]), 1, 60);
        Assert.Equal(2, (await alice.ReadAllAsync(conversation)).Count);
        Assert.Equal(201, (await bob.PostHeardAsync($"{await bob.BeginAsync()}/messages?max_tokens=30", new { content = "mine" })).Status);

        Task<Heard> SayAsync() => alice.PostHeardAsync($"{conversation}/messages?max_tokens=30", new { content = new string('x', 200) });
    }

    // Whatever fails after the reservation must give it back, or broken clients starve themselves.
    [Fact]
    public async Task Tokens_OfRequestsThatFail_AreGivenBack()
    {
        Stores.SkipWithoutServers();
        await using var cluster = await Cluster.StartAsync(1);
        await using var agent = await Agent.StartAsync(await VariablesAsync(cluster, ("LIMIT_TOKENS_PER_MINUTE", "1000")));
        await LimiterIsAsync(agent, "ok");
        using var alice = agent.As(Agent.AliceKey);
        var conversation = await alice.BeginAsync();

        foreach (var path in new[] { $"/conversations/{Guid.NewGuid()}/messages?max_tokens=900", $"{conversation}/messages?max_tokens=900&x=" })
        {
            for (var i = 0; i < 3; i++)
                await Eventually.IsTrueAsync(async () => (await alice.PostHeardAsync(path, new { content = "" })).Status is 404 or 400, "what was reserved has been given back");
        }
    }

    [Fact]
    public async Task Keys_ThatNobodyHas_AreLimitedByAddress()
    {
        Stores.SkipWithoutServers();
        await using var cluster = await Cluster.StartAsync(1);
        await using var agent = await Agent.StartAsync(await VariablesAsync(cluster, ("LIMIT_ADDRESS_PER_MINUTE", "4")));
        await LimiterIsAsync(agent, "ok");

        var statuses = new List<int>();
        for (var i = 0; i < 6; i++)
        {
            using var guessing = agent.As($"guessed-key-{i}");
            statuses.Add((await guessing.GetHeardAsync("/users")).Status);
        }

        Assert.Equal([401, 401, 401, 401, 429, 429], statuses);
    }

    [Fact]
    public async Task Memory_DecidesForOneInstance()
    {
        Stores.SkipWithoutServers();
        await using var agent = await Agent.StartAsync(stores, ("WEIR_LIMITER", "memory"), ("LIMIT_ADDRESS_PER_MINUTE", "3"));

        var heard = await Task.WhenAll(Enumerable.Range(0, 9).Select(_ => agent.Client.GetHeardAsync("/load-test?work=1")));

        Assert.Equal(3, heard.Count(static h => h.Status == 200));
    }

    internal static Task LimiterIsAsync(Agent agent, string begins) => Eventually.IsTrueAsync(
        async () => (await agent.HealthAsync()).Body.GetProperty("checks").GetProperty("limiter").GetString()!.StartsWith(begins, StringComparison.Ordinal),
        $"the limiter is {begins}", Patience);

    private async Task<Dictionary<string, string>> VariablesAsync(Cluster cluster, params (string Name, string Value)[] more)
    {
        var variables = Agent.Variables(stores.Postgres, await stores.Postgres.CreateDatabaseAsync(), stores.Redis);
        cluster.AddTo(variables);
        foreach (var (name, value) in more)
            variables[name] = value;
        return variables;
    }

    private static async Task<Heard> FromAsync(HttpClient client, string forwardedFor, string? forwarded = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/load-test?work=1");
        request.Headers.Add("X-Forwarded-For", forwardedFor);
        request.Headers.Add("X-Real-IP", forwardedFor.Split(',')[0]);
        if (forwarded is not null)
            request.Headers.Add("Forwarded", forwarded);
        return await AgentCalls.ReadAsync(await client.SendAsync(request));
    }
}
