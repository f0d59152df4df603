using AgentApi.Tests.Servers;
using Weir.TestKit.Redis;

namespace AgentApi.Tests;

/// <summary>What happens when what the service needs goes away and comes back.</summary>
public sealed class HealthTests(Stores stores)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Database_GoneAndBack_IsAClear503_AndHealsWithoutRestart()
    {
        Stores.SkipWithoutServers();
        await using var postgres = await PostgresServer.StartAsync();
        await using var agent = await Agent.StartAsync(Agent.Variables(postgres, await postgres.CreateDatabaseAsync(), stores.Redis));
        using var alice = agent.As(Agent.AliceKey);
        var conversation = await alice.BeginAsync();
        // Several connections rest in the pool when the server goes.
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => alice.SayAsync(conversation, "before")));
        Assert.Equal(200, (await agent.HealthAsync()).Status);

        await postgres.CrashAsync();

        foreach (var path in new[] { "/users", "/conversations", conversation })
        {
            var heard = await alice.GetHeardAsync(path);
            Assert.Equal((path, 503), (path, heard.Status));
            Assert.Equal(("application/problem+json", "1"), (heard.Headers["Content-Type"], heard.Headers["Retry-After"]));
            Assert.StartsWith("The database cannot be used: ", heard.Detail, StringComparison.Ordinal);
        }
        Assert.Equal(503, (await alice.SayAsync(conversation, "during")).Status);
        Assert.Equal(200, (await alice.GetHeardAsync("/")).Status);
        Assert.Equal(200, (await alice.GetHeardAsync("/stats")).Status);
        Assert.Equal(200, (await agent.Client.GetHeardAsync("/health/live")).Status);
        await HealthIsAsync(agent, 503, "database", "down: ");
        Assert.Equal("ok", (await agent.HealthAsync()).Body.GetProperty("checks").GetProperty("cache").GetString());

        await postgres.StartAgainAsync();

        await HealthIsAsync(agent, 200, "database", "ok");
        // Of all connections: none that is dead is left to be met.
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => alice.SayAsync(conversation, "after"))), static a => Assert.Equal(201, a.Status));
        Assert.Equal(16, (await alice.ReadAllAsync(conversation)).Count(static s => s is "user: before" or "user: after"));
        Assert.DoesNotContain("   at ", agent.Output + agent.Errors);
    }

    // A restart between two requests: what rests in the pool is dead, and nobody has noticed.
    [Fact]
    public async Task Database_RestartedUnnoticed_CostsNoRead()
    {
        Stores.SkipWithoutServers();
        await using var postgres = await PostgresServer.StartAsync();
        await using var agent = await Agent.StartAsync(Agent.Variables(postgres, await postgres.CreateDatabaseAsync(), stores.Redis));
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => agent.Client.GetHeardAsync("/users"))), static u => Assert.Equal(200, u.Status));

        await postgres.CrashAsync();
        await postgres.StartAgainAsync();

        Assert.Equal(200, (await agent.Client.GetHeardAsync("/users")).Status);
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => agent.Client.GetHeardAsync("/users"))), static u => Assert.Equal(200, u.Status));
    }

    [Fact]
    public async Task Database_ThatIsSilent_IsA503InBoundedTime()
    {
        Stores.SkipWithoutServers();
        await using var proxy = new FaultyProxy(stores.Postgres.Port);
        var variables = Agent.Variables(stores.Postgres, await stores.Postgres.CreateDatabaseAsync(), stores.Redis);
        await using var agent = await Agent.StartAsync(variables, ("DB_PORT", $"{proxy.Port}"));
        Assert.Equal(200, (await agent.Client.GetHeardAsync("/users")).Status);

        proxy.HoldReplies = true;
        var asked = agent.Client.GetHeardAsync("/users");
        await HealthIsAsync(agent, 503, "database", "down: it does not answer in time");
        var heard = await asked;
        proxy.HoldReplies = false;

        Assert.Equal(503, heard.Status);
        Assert.Contains("in time", heard.Detail);
        await HealthIsAsync(agent, 200, "database", "ok");
        Assert.Equal(200, (await agent.Client.GetHeardAsync("/users")).Status);
    }

    [Fact]
    public async Task Cache_GoneAndBack_IsAClear503_AndTalkingGoesOn()
    {
        Stores.SkipWithoutServers();
        await using var redis = await RedisServer.StartAsync();
        var variables = Agent.Variables(stores.Postgres, await stores.Postgres.CreateDatabaseAsync(), redis, redisPassword: null);
        await using var agent = await Agent.StartAsync(variables);
        using var alice = agent.As(Agent.AliceKey);
        var conversation = await alice.BeginAsync();

        await redis.KillAsync();

        foreach (var path in new[] { "/visits", "/session" })
        {
            var heard = await alice.GetHeardAsync(path);
            Assert.Equal((path, 503), (path, heard.Status));
            Assert.StartsWith("The cache cannot be used: ", heard.Detail, StringComparison.Ordinal);
        }
        Assert.Equal(System.Text.Json.JsonValueKind.Null, (await alice.GetHeardAsync("/"))["visits"].ValueKind);
        Assert.Equal(201, (await alice.SayAsync(conversation, "still there?")).Status);
        await HealthIsAsync(agent, 503, "cache", "down: ");
        Assert.Equal("ok", (await agent.HealthAsync()).Body.GetProperty("checks").GetProperty("database").GetString());

        await redis.StartAsync();

        await HealthIsAsync(agent, 200, "cache", "ok");
        Assert.Equal(1, (await alice.GetHeardAsync("/"))["visits"].GetInt64());
        Assert.Equal(201, (await alice.SayAsync(conversation, "and now?")).Status);
        Assert.Equal(1, (await alice.GetHeardAsync("/session"))["session"].GetProperty("messages").GetInt32());
    }

    [Fact]
    public async Task Health_IsForcedTo503_WhileTheFileIsThere()
    {
        Stores.SkipWithoutServers();
        var folder = Directory.CreateTempSubdirectory("weir-agent-");
        var file = Path.Combine(folder.FullName, "fail");
        try
        {
            await using var agent = await Agent.StartAsync(stores, ("FAIL_HEALTH_FILE", file));
            Assert.Equal(200, (await agent.HealthAsync()).Status);
            await File.WriteAllTextAsync(file, "");

            var forced = await agent.HealthAsync();

            Assert.Equal((503, "forced to fail"), (forced.Status, forced.Body.GetProperty("status").GetString()));
            Assert.Equal(200, (await agent.Client.GetHeardAsync("/")).Status);
            File.Delete(file);
            Assert.Equal(200, (await agent.HealthAsync()).Status);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Health_AskedByMany_ProbesOnceASecond()
    {
        Stores.SkipWithoutServers();
        await using var postgres = await PostgresServer.StartAsync();
        await using var agent = await Agent.StartAsync(Agent.Variables(postgres, await postgres.CreateDatabaseAsync(), stores.Redis));
        var since = TimeProvider.System.GetTimestamp();

        for (var i = 0; i < 20; i++)
            Assert.All(await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => agent.HealthAsync())), static h => Assert.Equal(200, h.Status));

        var seconds = TimeProvider.System.GetElapsedTime(since).TotalSeconds;
        var probes = postgres.Log.Split('\n').Count(static l => l.EndsWith(": select 1", StringComparison.Ordinal));
        Assert.InRange(probes, 1, (int)seconds + 2);
    }

    [Fact]
    public async Task Start_WithoutADatabase_WaitsAndThenEnds_InOneLine()
    {
        Stores.SkipWithoutServers();
        var variables = Agent.Variables(stores.Postgres, "nowhere", stores.Redis);
        await using var agent = Agent.Launch(variables, ("DB_PORT", $"{RedisServer.FreePort()}"), ("START_TIMEOUT_SECONDS", "1"));

        Assert.Equal(1, await agent.ExitAsync());

        Assert.Matches("^agent-api: database 127\\.0\\.0\\.1:[0-9]+/nowhere: nothing listens there, for 1 s\\. Start it, or [^\n]*\n$", agent.Errors);
        Assert.DoesNotContain("   at ", agent.Output);
    }

    [Fact]
    public async Task Start_BeforeItsDatabase_ServesWhenItHasCome()
    {
        Stores.SkipWithoutServers();
        await using var postgres = await PostgresServer.StartAsync();
        var database = await postgres.CreateDatabaseAsync();
        await postgres.CrashAsync();
        await using var agent = Agent.Launch(Agent.Variables(postgres, database, stores.Redis));
        await Eventually.IsTrueAsync(() => agent.Output.Contains("waiting for database"), "the service waits", Patience);

        await postgres.StartAgainAsync();

        await agent.ServesAsync();
        Assert.Equal(200, (await agent.HealthAsync()).Status);
    }

    [Theory]
    [InlineData("DB_PASSWORD", "wr0ng-Passw0rd", "it refuses the user or the password")]
    [InlineData("DB_NAME", "missing", "it has no database of that name")]
    public async Task Start_WithWhatWaitingDoesNotCure_EndsAtOnce_InOneLine(string variable, string value, string reason)
    {
        Stores.SkipWithoutServers();
        await using var agent = Agent.Launch(Agent.Variables(stores.Postgres, await stores.Postgres.CreateDatabaseAsync(), stores.Redis), (variable, value), ("START_TIMEOUT_SECONDS", "600"));

        Assert.Equal(1, await agent.ExitAsync());

        Assert.Matches($"^agent-api: database 127\\.0\\.0\\.1:[0-9]+/[^\n]*{reason}[^\n]*\n$", agent.Errors);
        Assert.DoesNotContain("   at ", agent.Output);
        Assert.DoesNotContain("wr0ng-Passw0rd", agent.Output + agent.Errors);
    }

    private static Task HealthIsAsync(Agent agent, int status, string what, string begins) => Eventually.IsTrueAsync(
        async () =>
        {
            var health = await agent.HealthAsync();
            return health.Status == status && health.Body.GetProperty("checks").GetProperty(what).GetString()!.StartsWith(begins, StringComparison.Ordinal);
        },
        $"health is {status} and {what} is {begins}", Patience);
}
