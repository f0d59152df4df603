using System.Text.Json;

namespace Weir.Stack.Tests.Running;

/// <summary>
/// One stack under one project name, driven by the real <c>docker compose</c> from a copy of the repository. Its ports on the host are free
/// ones; everything else is the files' own defaults.
/// </summary>
internal sealed class ComposeStack
{
    private static readonly string[] PortNames =
    [
        "LB_PORT", "LB_TLS_PORT", "LB_STATUS_PORT", "FRONTEND_PORT", "RATELIMITER_1_PORT", "RATELIMITER_2_PORT", "RATELIMITER_3_PORT",
        "PROMETHEUS_PORT", "GRAFANA_PORT", "DB_PORT", "REDIS_PORT", "API_PORTS",
    ];

    private readonly string[] _files;
    private readonly Dictionary<string, int> _ports;
    private readonly Dictionary<string, string> _environment;

    public ComposeStack(string folder, string prefix, string name, string[] files, params (string Name, string Value)[] environment)
    {
        (Folder, Project) = (folder, $"{prefix}-{name}");
        _files = [.. files.SelectMany(static f => new[] { "-f", f })];
        _ports = PortNames.Zip(Ports.Free(PortNames.Length)).ToDictionary(static p => p.First, static p => p.Second);
        _environment = new Dictionary<string, string>
        {
            ["COMPOSE_PROJECT_NAME"] = Project,
            // Tags of our own, so that nobody's images are replaced; or the images that are to be tested.
            ["WEIR_VERSION"] = Built ?? prefix,
        };
        foreach (var (port, number) in _ports)
            _environment[port] = $"{number}";
        // Health checks have time where machines are slow: many tests at once, an emulator.
        if (System.Environment.GetEnvironmentVariable("WEIR_STACK_SLOW") == "1")
            (_environment["HEALTH_TIMEOUT"], _environment["HEALTH_RETRIES"], _environment["HEALTH_START_PERIOD"]) = ("30s", "10", "120s");
        foreach (var (variable, value) in environment)
            _environment[variable] = value;
        Http = Client("LB_PORT");
    }

    // The tag of images that somebody has built already.
    private static string? Built { get; } = System.Environment.GetEnvironmentVariable("WEIR_STACK_IMAGES") is { Length: > 0 } tag ? tag : null;

    /// <summary>The copy of the repository that it runs from.</summary>
    public string Folder { get; }

    /// <summary>The name that Compose and the engine know it by.</summary>
    public string Project { get; }

    /// <summary>What a user's environment would have.</summary>
    public IReadOnlyDictionary<string, string> Environment => _environment;

    /// <summary>Asks the balancer.</summary>
    public HttpClient Http { get; }

    /// <summary>When it was last brought up.</summary>
    public EventLog? Events { get; private set; }

    /// <summary>The port on this machine that a variable of .env names.</summary>
    public int Port(string name) => _ports[name];

    /// <summary>A client of a port on this machine.</summary>
    public HttpClient Client(string portName) =>
        new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false, PooledConnectionIdleTimeout = TimeSpan.FromSeconds(5) })
        {
            BaseAddress = new Uri($"http://127.0.0.1:{Port(portName)}"),
            Timeout = TimeSpan.FromSeconds(20),
        };

    /// <summary>Runs <c>docker compose</c>, which must succeed.</summary>
    public async Task<CommandResult> ComposeAsync(params string[] arguments) => (await TryComposeAsync(arguments)).Ok();

    /// <summary>Runs <c>docker compose</c>.</summary>
    public Task<CommandResult> TryComposeAsync(params string[] arguments) =>
        Shell.RunAsync("docker", ["compose", .. _files, .. arguments], Folder, _environment);

    /// <summary>Runs a target of the Makefile, which must succeed.</summary>
    public async Task<CommandResult> MakeAsync(params string[] arguments) => (await TryMakeAsync(arguments)).Ok();

    /// <summary>Runs a target of the Makefile.</summary>
    public Task<CommandResult> TryMakeAsync(params string[] arguments) => Shell.RunAsync("make", ["--no-print-directory", .. arguments], Folder, _environment);

    /// <summary>Builds the images, unless those to be tested are there. The three nodes are one image; building one is building all.</summary>
    public async Task BuildAsync()
    {
        if (Built is null)
            await ComposeAsync("build", "ratelimiter-1", "api");
    }

    /// <summary>Everything up and healthy.</summary>
    public async Task UpAsync(params string[] arguments)
    {
        Events?.Dispose();
        Events = EventLog.Start(Project);
        var up = await TryComposeAsync(["up", "--detach", "--no-build", "--wait", "--wait-timeout", "900", .. arguments]);
        if (up.ExitCode != 0)
            Assert.Fail($"up ended with {up.ExitCode}: {Last(up.Text)} {Last((await TryComposeAsync("ps", "--all")).Text)} {Last((await TryComposeAsync("logs", "--tail", "5")).Text)}");
        Events.Stop();
    }

    /// <summary>Away with it, and with its data.</summary>
    public async Task DownAsync()
    {
        Events?.Dispose();
        await ComposeAsync("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "20");
    }

    /// <summary>The containers of a service, lowest number first.</summary>
    public async Task<string[]> IdsAsync(string service, bool all = false)
    {
        string[] filter = ["ps", "--no-trunc", "--format", "{{.Label \"com.docker.compose.container-number\"}} {{.ID}}", "--filter", $"label=com.docker.compose.project={Project}",
            "--filter", $"label=com.docker.compose.service={service}"];
        var listed = (await Shell.DockerAsync(all ? [.. filter, "--all"] : filter)).Ok().Lines;
        return [.. listed.Select(static l => l.Split(' ')).OrderBy(static p => int.Parse(p[0])).Select(static p => p[1])];
    }

    /// <summary>The only, or first, container of a service.</summary>
    public async Task<string> IdAsync(string service, bool all = false)
    {
        var ids = await IdsAsync(service, all);
        Assert.True(ids.Length > 0, $"No container of {service} runs.");
        return ids[0];
    }

    /// <summary>What the engine knows of a container.</summary>
    public static async Task<JsonElement> InspectAsync(string id)
    {
        using var document = JsonDocument.Parse((await Shell.DockerAsync("inspect", id)).Ok().Output);
        return document.RootElement[0].Clone();
    }

    /// <summary>Runs a command inside the first container of a service.</summary>
    public async Task<CommandResult> ExecAsync(string service, params string[] command) => await Shell.DockerAsync(["exec", await IdAsync(service), .. command]);

    /// <summary>All that a service wrote.</summary>
    public async Task<string> LogsAsync(string service) => (await ComposeAsync("logs", "--no-color", "--no-log-prefix", service)).Text;

    /// <summary>The whole configuration that Compose makes of files and variables.</summary>
    public async Task<JsonElement> ConfigAsync()
    {
        using var document = JsonDocument.Parse((await ComposeAsync("--profile", "*", "config", "--format", "json")).Output);
        return document.RootElement.Clone();
    }

    /// <summary>What an address answers, as JSON.</summary>
    public static async Task<JsonElement> JsonAsync(HttpClient client, string path)
    {
        using var document = JsonDocument.Parse(await client.GetStringAsync(new Uri(path, UriKind.Relative)));
        return document.RootElement.Clone();
    }

    /// <summary>The address of a container on one of its networks; this machine reaches it there.</summary>
    public static async Task<string> AddressAsync(string id) =>
        (await InspectAsync(id)).At("NetworkSettings", "Networks").Members().Select(static n => n.Value.At("IPAddress").Text()).First(static a => a.Length > 0);

    /// <summary>Waits until a container is healthy.</summary>
    public static Task HealthyAsync(string id, int seconds = 180) => Eventually.SeeAsync(
        $"container {id[..12]} is healthy", async () => (await InspectAsync(id)).At("State", "Health", "Status").Text(), static s => s == "healthy", seconds);

    /// <summary>Waits until every container of a service is healthy.</summary>
    public async Task HealthyAsync(string service, string reason)
    {
        foreach (var id in await IdsAsync(service, all: true))
            await HealthyAsync(id);
        Assert.True((await IdsAsync(service)).Length > 0, reason);
    }

    /// <summary>Redis' answer to a command, asked inside its container with the password there.</summary>
    public async Task<string> RedisAsync(string command) =>
        (await ExecAsync("redis", "sh", "-c", $"REDISCLI_AUTH=\"$(cat /run/secrets/redis_password)\" redis-cli {command}")).Ok().Output.Trim();

    /// <summary>PostgreSQL's answer to a statement.</summary>
    public async Task<string> SqlAsync(string statement) =>
        (await ExecAsync("db", "sh", "-c", "psql -X -A -t -U \"$POSTGRES_USER\" -d \"$POSTGRES_DB\" -c \"$0\"", statement)).Ok().Output.Trim();

    private static string Last(string text) => text.Length <= 700 ? text : "…" + text[^700..];
}
