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
    public static OverrideView Of(string key, Rule rule) => new(key, rule.Permits, rule.WindowMicros / 1000, rule.Algorithm.ToName(), rule.Burst);
}

internal sealed record NodeView(string Id, string Address, string State, string Engine, string Version, DateTime StartedAt, DateTime LastSeen);

internal sealed record RuleCounterView(string Id, string Key, string Domain, string Rule, string Algorithm, long Count, long Limit, long Remaining, long WindowMs, long ResetMs);

internal sealed record BlockView(string Id, string Key, string Domain, string Rule, long Limit, long RetryAfterMs, DateTime Until);

internal sealed record FileView(string Path, string Text);

/// <summary>What sets a limit for one key.</summary>
internal sealed record OverrideRequest(long Limit, long? WindowMs, string? Algorithm, long? Burst);

/// <summary>What to explain: a plain key, or entries in a domain.</summary>
internal sealed record ExplainRequest(string? Key, string Domain, IReadOnlyList<DescriptorEntry>? Entries);
