using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Weir.TestKit.Redis;

namespace AgentApi.Tests.Servers;

/// <summary>The built service in a process of its own, run as users run it.</summary>
internal sealed partial class Agent : IAsyncDisposable
{
    public const string AliceKey = "alice-S3cr3t-key";
    public const string BobKey = "bob-S3cr3t-key";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);

    private readonly ChildProcess _process;

    private Agent(ChildProcess process) => _process = process;

    /// <summary>A client without a key.</summary>
    public HttpClient Client { get; private set; } = null!;

    public Uri Address => Client.BaseAddress!;

    public string Output => _process.Output;

    public string Errors => _process.Errors;

    /// <summary>The variables of an instance that uses these stores.</summary>
    public static Dictionary<string, string> Variables(PostgresServer postgres, string database, RedisServer redis, string? redisPassword = Stores.RedisPassword)
    {
        var variables = new Dictionary<string, string>
        {
            ["DB_HOST"] = "127.0.0.1",
            ["DB_PORT"] = $"{postgres.Port}",
            ["DB_NAME"] = database,
            ["DB_USER"] = PostgresServer.User,
            ["DB_PASSWORD"] = PostgresServer.Password,
            ["CACHE_HOST"] = "127.0.0.1",
            ["CACHE_PORT"] = $"{redis.Port}",
            ["API_KEYS"] = $"alice:{AliceKey},bob:{BobKey}",
            ["LISTEN_ADDRESS"] = "127.0.0.1",
            ["PORT"] = "0",
            ["DRAIN_SECONDS"] = "0",
            ["START_TIMEOUT_SECONDS"] = "120",
            ["WEIR_LIMITER"] = "off",
        };
        if (redisPassword is not null)
            variables["CACHE_PASSWORD"] = redisPassword;
        return variables;
    }

    /// <summary>Starts an instance with a database of its own in the shared stores.</summary>
    public static async Task<Agent> StartAsync(Stores stores, params (string Name, string Value)[] more) =>
        await StartAsync(Variables(stores.Postgres, await stores.Postgres.CreateDatabaseAsync(), stores.Redis), more);

    /// <summary>Starts an instance and waits until it serves.</summary>
    public static async Task<Agent> StartAsync(Dictionary<string, string> variables, params (string Name, string Value)[] more)
    {
        var agent = Launch(variables, more);
        try
        {
            await agent.ServesAsync();
            return agent;
        }
        catch
        {
            await agent.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts an instance and does not wait.</summary>
    public static Agent Launch(Dictionary<string, string> variables, params (string Name, string Value)[] more)
    {
        var all = new Dictionary<string, string>(variables);
        foreach (var (name, value) in more)
            all[name] = value;
        return new Agent(ChildProcess.Start(Path.Combine(AppContext.BaseDirectory, "agent-api"), [], all));
    }

    /// <summary>Waits until it serves.</summary>
    public async Task ServesAsync()
    {
        Match? match = null;
        await Eventually.IsTrueAsync(() => _process.HasExited || (match = Serves().Match(Output)).Success, "the service serves", Patience);
        if (match is not { Success: true })
            throw new InvalidOperationException($"The service ended. {Errors}");
        Client = NewClient(match.Groups["url"].Value);
    }

    /// <summary>A client with a key.</summary>
    public HttpClient As(string key)
    {
        var client = NewClient(Address.ToString());
        client.DefaultRequestHeaders.Add("X-API-Key", key);
        return client;
    }

    /// <summary>What it says of its health.</summary>
    public async Task<(int Status, JsonElement Body)> HealthAsync()
    {
        using var answer = await Client.GetAsync(new Uri("/health", UriKind.Relative));
        return ((int)answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>());
    }

    /// <summary>Asks the process to stop, as an orchestrator does.</summary>
    public void Terminate() => _process.Signal(PosixSignal.SIGTERM);

    /// <summary>Ends the process without asking it.</summary>
    public async Task KillAsync()
    {
        _process.End();
        await _process.ExitAsync();
    }

    /// <summary>Waits for the end.</summary>
    public Task<int> ExitAsync() => _process.ExitAsync();

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        await KillAsync();
        _process.Dispose();
    }

    private static HttpClient NewClient(string url)
    {
        var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(url), Timeout = Patience };
        client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        return client;
    }

    [GeneratedRegex(@"serves on (?<url>http://127\.0\.0\.1:\d+)", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Serves();
}
