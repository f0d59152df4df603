using System.Net;
using Weir.Resp;

namespace AgentApi.Configuration;

/// <summary>How the service runs: checked and immutable. It is a class and no record, so that no text of it can show a password.</summary>
internal sealed class AgentConfig
{
    /// <summary>What this instance is called in answers and counters.</summary>
    public required string Instance { get; init; }

    /// <summary>Address to listen on.</summary>
    public required IPAddress Address { get; init; }

    /// <summary>Port to listen on; 0 for any that is free.</summary>
    public required int Port { get; init; }

    /// <summary>Where conversations are kept.</summary>
    public required DatabaseConfig Database { get; init; }

    /// <summary>Where sessions and counters are kept.</summary>
    public required RespOptions Cache { get; init; }

    /// <summary>Where the password of the cache came from.</summary>
    public required SecretSource CachePassword { get; init; }

    /// <summary>Who may talk to the assistant.</summary>
    public required ApiKeys ApiKeys { get; init; }

    /// <summary>How much they may do, and who decides.</summary>
    public required LimiterConfig Limiter { get; init; }

    /// <summary>Networks whose word about the client's address is believed.</summary>
    public required IReadOnlyList<IPNetwork> TrustedProxies { get; init; }

    /// <summary>Least severe level that is logged.</summary>
    public required LogLevel LogLevel { get; init; }

    /// <summary>How long a start waits for the database.</summary>
    public required TimeSpan StartTimeout { get; init; }

    /// <summary>How long a stopping instance goes on serving with its health off, so that balancers notice.</summary>
    public required TimeSpan Drain { get; init; }

    /// <summary>How long a stopping instance may take, after draining, to finish what it accepted.</summary>
    public required TimeSpan ShutdownGrace { get; init; }

    /// <summary>A file whose presence makes the health 503, or null.</summary>
    public string? FailHealthFile { get; init; }

    /// <summary>Checks the variables and makes the configuration, or adds every problem to <paramref name="problems"/> and returns null.</summary>
    public static AgentConfig? TryCreate(IReadOnlyDictionary<string, string> environment, ICollection<string> problems)
    {
        var before = problems.Count;
        var config = new AgentConfigReader(new SettingsReader(environment, problems)).Read();
        return problems.Count == before ? config : null;
    }
}
