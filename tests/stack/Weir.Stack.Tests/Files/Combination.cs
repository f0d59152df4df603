using System.Collections.Concurrent;
using System.Text.Json;
using Weir.Stack.Tests.Running;

namespace Weir.Stack.Tests.Files;

/// <summary>Files that are used together.</summary>
internal sealed record Combination(string Name, params string[] Files)
{
    public static readonly Combination Base = new("base", "compose.yaml");
    public static readonly Combination Development = new("development", "compose.yaml", "compose.override.yaml");
    public static readonly Combination Production = new("production", "compose.yaml", "compose.prod.yaml");
    public static readonly Combination Scaled = new("scaled", "compose.yaml", "compose.prod.yaml", "compose.scale.yaml");

    /// <summary>Every combination that the documents name.</summary>
    public static readonly Combination[] All =
    [
        Base,
        Development,
        Production,
        Scaled,
        new("development with nginx", [.. Development.Files, "compose.nginx.yaml"]),
        new("production with nginx", [.. Production.Files, "compose.nginx.yaml"]),
        new("scaled with nginx", [.. Scaled.Files, "compose.nginx.yaml"]),
    ];

    private static readonly ConcurrentDictionary<string, Task<JsonElement>> Read = [];

    public override string ToString() => Name;

    /// <summary>Runs <c>docker compose config</c> with .env.example as the only source of values.</summary>
    public Task<CommandResult> ConfigAsync(params string[] arguments) => Shell.RunAsync(
        "docker",
        ["compose", "--env-file", ".env.example", .. Files.SelectMany(static f => new[] { "-f", f }), "--profile", "*", "config", .. arguments],
        Checkout.Repository);

    /// <summary>The configuration as Compose sees it; Compose is asked once.</summary>
    public Task<JsonElement> ReadAsync() => Read.GetOrAdd(Name, async _ => Json.Parse((await ConfigAsync("--format", "json")).Ok().Output));

    /// <summary>The services of the configuration.</summary>
    public async Task<List<JsonProperty>> ServicesAsync() => (await ReadAsync()).At("services").Members();
}
