using System.Text;
using AgentApi.Tests.Servers;

namespace AgentApi.Tests;

/// <summary>No password and no key is ever shown, whatever is asked and whatever fails.</summary>
public sealed class SecretTests(Stores stores)
{
    private static readonly string[] Secrets =
    [
        PostgresServer.Password, Uri.EscapeDataString(PostgresServer.Password), Stores.RedisPassword, Agent.AliceKey, Agent.BobKey, "S3cr3t",
    ];

    [Fact]
    public async Task Secrets_FromFiles_AreInNoAnswerAndNoLog()
    {
        Stores.SkipWithoutServers();
        var folder = Directory.CreateTempSubdirectory("weir-agent-");
        try
        {
            var variables = Agent.Variables(stores.Postgres, await stores.Postgres.CreateDatabaseAsync(), stores.Redis);
            foreach (var name in new[] { "DB_PASSWORD", "CACHE_PASSWORD", "API_KEYS" })
            {
                var file = Path.Combine(folder.FullName, name);
                await File.WriteAllTextAsync(file, variables[name].Replace(',', '\n') + "\n");
                variables.Remove(name);
                variables[$"{name}_FILE"] = file;
            }
            await using var agent = await Agent.StartAsync(variables, ("LOG_LEVEL", "trace"));

            var shown = await AskEverythingAsync(agent);

            Assert.Contains("\"password_from\":\"file\"", shown);
            Assert.Contains("\"log_level\":\"trace\"", shown);
            DoNotContain(shown + agent.Output + agent.Errors);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Secrets_FromUrls_AreInNoAnswerAndNoLog_AlsoWhenAllFails()
    {
        Stores.SkipWithoutServers();
        await using var postgres = await PostgresServer.StartAsync();
        await using var redis = await Weir.TestKit.Redis.RedisServer.StartAsync("--requirepass", Stores.RedisPassword);
        var password = Uri.EscapeDataString(PostgresServer.Password);
        var variables = new Dictionary<string, string>
        {
            ["DATABASE_URL"] = $"postgresql://{PostgresServer.User}:{password}@127.0.0.1:{postgres.Port}/{await postgres.CreateDatabaseAsync()}?sslmode=disable",
            ["REDIS_URL"] = $"redis://:{Stores.RedisPassword}@127.0.0.1:{redis.Port}",
            ["API_KEYS"] = $"alice:{Agent.AliceKey},bob:{Agent.BobKey}",
            ["LISTEN_ADDRESS"] = "127.0.0.1",
            ["PORT"] = "0",
            ["DRAIN_SECONDS"] = "0",
            ["LOG_LEVEL"] = "trace",
        };
        await using var agent = await Agent.StartAsync(variables);

        var shown = await AskEverythingAsync(agent);
        await postgres.CrashAsync();
        await redis.KillAsync();
        shown += await AskEverythingAsync(agent);

        Assert.Contains("\"password_from\":\"environment\"", shown);
        Assert.Contains("The database cannot be used", shown);
        DoNotContain(shown + agent.Output + agent.Errors);
    }

    private static void DoNotContain(string text)
    {
        foreach (var secret in Secrets)
            Assert.DoesNotContain(secret, text);
    }

    private static async Task<string> AskEverythingAsync(Agent agent)
    {
        var shown = new StringBuilder();
        using var alice = agent.As(Agent.AliceKey);
        foreach (var path in new[] { "/", "/health", "/health/live", "/config", "/stats", "/visits", "/load-test", "/users", "/conversations", "/session", "/nothing", "/users?x=%00" })
        {
            using var answer = await alice.GetAsync(new Uri(path, UriKind.Relative));
            shown.Append(answer.Headers).Append(answer.Content.Headers).Append(await answer.Content.ReadAsStringAsync()).Append('\n');
        }
        using var begun = await alice.PostAsync(new Uri("/conversations", UriKind.Relative), null);
        shown.Append(await begun.Content.ReadAsStringAsync());
        return shown.ToString();
    }
}
