using System.Text.Json.Serialization;

namespace Weir.Server.Management;

/// <summary>A rule as management shows it.</summary>
internal sealed record RuleView(string Domain, string Name, string Path, string Algorithm, long Limit, long WindowMs, long Burst, string Failure,
    bool Shadow, bool Quota, bool Unlimited)
{
    public static RuleView Of(Rule rule) => new(rule.Domain, rule.Name, rule.Path, rule.Algorithm.ToName(), rule.Permits, rule.WindowMicros / 1000, rule.Burst,
        rule.Failure.ToString().ToLowerInvariant(), rule.Shadow, rule.Quota, rule.Unlimited);
}

/// <summary>A key with a limit of its own.</summary>
internal sealed record OverrideView(string Key, long Limit, long WindowMs, string Algorithm, long Burst)
{
    /// <summary>How many nodes there are; where nothing is shared, nothing is said.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Nodes { get; init; }

    /// <summary>On how many of them the limit is in force.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Applied { get; init; }

    public static OverrideView Of(string key, Rule rule) => new(key, rule.Permits, rule.WindowMicros / 1000, rule.Algorithm.ToName(), rule.Burst);
}

/// <summary>All nodes that share counters.</summary>
internal sealed record NodeList(IReadOnlyList<NodeView> Nodes)
{
    /// <summary>When the list was true, by Redis' clock; where nothing is shared, nothing is said.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTime? AsOf { get; init; }

    /// <summary>Why the list is not of now.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Note { get; init; }
}

internal sealed record NodeView(string Id, string Address, string State, string Engine, string Version, DateTime StartedAt, DateTime LastSeen);

internal sealed record RuleCounterView(string Id, string Key, string Domain, string Rule, string Algorithm, long Count, long Limit, long Remaining, long WindowMs, long ResetMs);

internal sealed record BlockView(string Id, string Key, string Domain, string Rule, long Limit, long RetryAfterMs, DateTime Until);

internal sealed record FileView(string Path, string Text);

/// <summary>What sets a limit for one key.</summary>
internal sealed record OverrideRequest(long Limit, long? WindowMs, string? Algorithm, long? Burst);

/// <summary>What to explain: a plain key, or entries in a domain.</summary>
internal sealed record ExplainRequest(string? Key, string Domain, IReadOnlyList<DescriptorEntry>? Entries);
