using System.Net;
using Microsoft.Extensions.Logging;
using Weir.Resp;

namespace Weir.Server.Configuration;

/// <summary>The table of everything that can be set on a node.</summary>
public static class NodeSettings
{
    private const string Hidden = "***";
    private const long TenMinutesMillis = 600_000;

    internal static readonly Setting<RespOptions?> RedisUrl = new("REDIS_URL", SettingFormats.RedisUrl)
    {
        DefaultNote = "none, it counts in memory",
        Description = "Redis or Valkey through which nodes share counters: one server, a Cluster (redis+cluster://) or Sentinels (redis-sentinel://). The forms are in resp.md.",
        Mask = MaskUrl,
    };

    internal static readonly Setting<string?> RedisPasswordFile = new("REDIS_PASSWORD_FILE", SettingFormats.Path)
    {
        DefaultNote = "none",
        Description = "File whose text is the password for Redis, such as a mounted secret, for a URL that names none.",
    };

    internal static readonly Setting<string?> RedisPrefix = new("REDIS_PREFIX", SettingFormats.KeyPrefix)
    {
        Default = "weir",
        Description = "What every key in Redis begins with. Nodes that decide as one use the same.",
    };

    internal static readonly Setting<long> DecisionTimeoutMillis = new("DECISION_TIMEOUT_MS", SettingFormats.Integer(5, 10_000))
    {
        Default = "15",
        Description = "How long a decision may wait for Redis before the rule's failure policy answers, in milliseconds.",
    };

    internal static readonly Setting<string?> NodeId = new("NODE_ID", SettingFormats.Word)
    {
        Default = Environment.MachineName,
        DefaultNote = "the host name",
        Description = "Name of this node among the others; each node needs its own.",
    };

    internal static readonly Setting<string?> NodeHost = new("NODE_HOST", SettingFormats.Host)
    {
        Default = Environment.MachineName,
        DefaultNote = "the host name",
        Description = "Host name or IP address by which others reach this node. It is shown in the list of nodes; what the node listens on is another setting.",
    };

    internal static readonly Setting<IPAddress> ListenAddress = new("LISTEN_ADDRESS", SettingFormats.Address)
    {
        Default = "0.0.0.0",
        Description = "Address to listen on.",
    };

    internal static readonly Setting<long> NodePort = new("NODE_PORT", SettingFormats.Integer(0, IPEndPoint.MaxPort))
    {
        Default = "8000",
        Description = "TCP port to listen on; 0 takes any that is free.",
    };

    internal static readonly Setting<long> NodeTtlMillis = new("NODE_TTL_MS", SettingFormats.Integer(500, 3_600_000))
    {
        Default = "30000",
        Description = "How long a node that is not heard of any more stays in the list of nodes, in milliseconds. Nodes tell of themselves six times as often.",
    };

    internal static readonly Setting<long> DefaultLimit = new("DEFAULT_LIMIT", SettingFormats.Integer(0, RuleBounds.MaxFixedWindowPermits))
    {
        Default = "100",
        Description = "Permits per window of the default rule; 0 refuses everything. Some algorithms take less than the largest value.",
    };

    internal static readonly Setting<long> DefaultWindowMillis = new("DEFAULT_WINDOW_MS", SettingFormats.Integer(1, RuleBounds.MaxWindowMicros / 1_000))
    {
        Default = "60000",
        Description = "Window of the default rule, in milliseconds.",
    };

    internal static readonly Setting<AlgorithmKind> DefaultAlgorithm = new("DEFAULT_ALGORITHM", SettingFormats.Choice(
        [.. AlgorithmNames.All.Select(static (name, i) => (name, (AlgorithmKind)i))]))
    {
        Default = "sliding-window",
        Description = "How the default rule counts.",
    };

    internal static readonly Setting<string?> Rules = new("RULES", SettingFormats.ExistingPath)
    {
        DefaultNote = "none, only the default rule",
        Description = "YAML file with rules, or a folder of such files. It is read again whenever it changes.",
    };

    internal static readonly Setting<string?> AdminToken = new("ADMIN_TOKEN", SettingFormats.Word)
    {
        DefaultNote = "none, management is open",
        Description = "Token that requests to /api must bring as \"Authorization: Bearer\".",
        Mask = static _ => Hidden,
    };

    internal static readonly Setting<string?> AdminTokenFile = new("ADMIN_TOKEN_FILE", SettingFormats.Path)
    {
        DefaultNote = "none",
        Description = "File whose text is the admin token, such as a mounted secret.",
    };

    internal static readonly Setting<FailurePolicy> FailurePolicy = new("FAILURE_POLICY", SettingFormats.Choice(
        ("closed", Weir.FailurePolicy.Closed), ("open", Weir.FailurePolicy.Open), ("local", Weir.FailurePolicy.Local)))
    {
        Default = "closed",
        Description = "What the default rule, and every rule that names no policy, answers when the engine cannot decide: refuse, allow, or decide from this node's share of the limit.",
    };

    internal static readonly Setting<LogLevel> LogLevel = new("LOG_LEVEL", SettingFormats.Choice(
        ("trace", Microsoft.Extensions.Logging.LogLevel.Trace), ("debug", Microsoft.Extensions.Logging.LogLevel.Debug),
        ("info", Microsoft.Extensions.Logging.LogLevel.Information), ("warn", Microsoft.Extensions.Logging.LogLevel.Warning),
        ("error", Microsoft.Extensions.Logging.LogLevel.Error)))
    {
        Default = "info",
        Description = "Least severe level that is logged.",
    };

    internal static readonly Setting<LogFormat> LogFormat = new("LOG_FORMAT", SettingFormats.Choice(
        ("line", Configuration.LogFormat.Line), ("json", Configuration.LogFormat.Json)))
    {
        Default = "line",
        Description = "One line of text per event, or one JSON object per line.",
    };

    internal static readonly Setting<long> MaxCounters = new("MAX_COUNTERS", SettingFormats.Integer(1_000, 100_000_000))
    {
        Default = "1000000",
        Description = "Most counters the memory engine holds. At the bound a new key gets what its rule's failure policy says.",
    };

    internal static readonly Setting<long> ShutdownGraceMillis = new("SHUTDOWN_GRACE_MS", SettingFormats.Integer(0, TenMinutesMillis))
    {
        Default = "10000",
        Description = "How long a stopping node may take to finish the requests it accepted, in milliseconds.",
    };

    internal static readonly Setting<long> DrainMillis = new("DRAIN_MS", SettingFormats.Integer(0, TenMinutesMillis))
    {
        Default = "0",
        Description = "How long a stopping node goes on serving with readiness off, so that balancers notice, in milliseconds.",
    };

    /// <summary>Every setting, in the order in which people read them.</summary>
    public static IReadOnlyList<Setting> All { get; } =
    [
        RedisUrl, RedisPasswordFile, RedisPrefix, DecisionTimeoutMillis, NodeId, NodeHost, ListenAddress, NodePort, NodeTtlMillis, DefaultLimit,
        DefaultWindowMillis, DefaultAlgorithm, Rules, AdminToken, AdminTokenFile, FailurePolicy, LogLevel, LogFormat, MaxCounters, ShutdownGraceMillis, DrainMillis,
    ];

    // The rest of a URL helps to find a mistake; its user and passwords help the wrong people. In a URL that cannot be read they may be anywhere.
    private static string MaskUrl(string url)
    {
        if (!RespOptions.TryParse(url, out _, out _))
            return Hidden;
        var (at, start) = (url.LastIndexOf('@'), url.IndexOf("://", StringComparison.Ordinal) + 3);
        var shown = at < 0 ? url : url[..start] + Hidden + url[at..];
        return shown.IndexOf('?') is var query and >= 0 && shown[query..].Contains("sentinel_") ? $"{shown[..query]}?{Hidden}" : shown;
    }
}
