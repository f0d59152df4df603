using Weir;

namespace AgentApi.Configuration;

/// <summary>Who decides how much a client may do.</summary>
internal enum LimiterKind
{
    /// <summary>Nobody: everything is allowed.</summary>
    Off,

    /// <summary>This instance alone, from its memory.</summary>
    Memory,

    /// <summary>Weir nodes, for all instances together.</summary>
    Nodes,
}

/// <summary>The limits, and who decides by them.</summary>
internal sealed class LimiterConfig
{
    private const int MostRequests = (int)RuleBounds.MaxSlidingWindowPermits;
    private const int MostTokens = (int)RuleBounds.MaxPermits;

    public required LimiterKind Kind { get; init; }

    /// <summary>The nodes, when they decide.</summary>
    public required IReadOnlyList<Uri> Nodes { get; init; }

    /// <summary>How long an answer of a node is waited for.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>What a request gets while nobody can decide.</summary>
    public required FailurePolicy Failure { get; init; }

    /// <summary>Requests of a client address in any minute.</summary>
    public required int AddressPerMinute { get; init; }

    /// <summary>Requests of a user in any minute.</summary>
    public required int UserPerMinute { get; init; }

    /// <summary>Tokens that a user may spend in a minute, and at once after a pause.</summary>
    public required int TokensPerMinute { get; init; }

    public static LimiterConfig Read(SettingsReader settings)
    {
        var nodes = ReadNodes(settings);
        var kind = settings.Choice("WEIR_LIMITER", settings.IsGiven("WEIR_NODES") ? LimiterKind.Nodes : LimiterKind.Memory,
            ("off", LimiterKind.Off), ("memory", LimiterKind.Memory), ("nodes", LimiterKind.Nodes));
        if (kind == LimiterKind.Nodes && nodes.Count == 0 && !settings.IsGiven("WEIR_NODES"))
            settings.Report("WEIR_NODES", "it is missing. Name the nodes, such as weir-1:8000,weir-2:8000, or set WEIR_LIMITER to memory or off.");
        return new LimiterConfig
        {
            Kind = kind,
            Nodes = nodes,
            Timeout = TimeSpan.FromMilliseconds(settings.Integer("WEIR_TIMEOUT_MS", 250, 5, 60_000)),
            Failure = settings.Choice("WEIR_FAILURE_POLICY", FailurePolicy.Closed, ("closed", FailurePolicy.Closed), ("open", FailurePolicy.Open)),
            AddressPerMinute = settings.Integer("LIMIT_ADDRESS_PER_MINUTE", 6_000, 0, MostRequests),
            UserPerMinute = settings.Integer("LIMIT_USER_PER_MINUTE", 600, 0, MostRequests),
            TokensPerMinute = settings.Integer("LIMIT_TOKENS_PER_MINUTE", 20_000, 1, MostTokens),
        };
    }

    private static List<Uri> ReadNodes(SettingsReader settings)
    {
        var nodes = new List<Uri>();
        foreach (var text in (settings.Text("WEIR_NODES") ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var address = text.Contains("://", StringComparison.Ordinal) ? text : $"http://{text}";
            if (Uri.TryCreate(address, UriKind.Absolute, out var node) && node is { Scheme: "http" or "https", PathAndQuery: "/", UserInfo: "" })
                nodes.Add(node);
            else
                settings.Report("WEIR_NODES", text, "must be host:port or http://host:port, several with commas between");
        }
        return nodes;
    }
}
