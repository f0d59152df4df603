using System.Text.Json;
using System.Text.Json.Serialization;

namespace Weir.Redis;

/// <summary>The limit that an administrator gave one key. Immutable; whether it is possible, <see cref="Rule.TryCreate"/> says.</summary>
public sealed record OverrideLimit
{
    /// <summary>How it counts, by name.</summary>
    public required string Algorithm { get; init; }

    /// <summary>Permits per window.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required long Limit { get; init; }

    /// <summary>The window, in microseconds.</summary>
    public required long WindowMicros { get; init; }

    /// <summary>Depth of a token bucket; null for other algorithms.</summary>
    public long? Burst { get; init; }

    /// <summary>The limit of a rule.</summary>
    public static OverrideLimit Of(Rule rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        return new OverrideLimit
        {
            Algorithm = rule.Algorithm.ToName(),
            Limit = rule.Permits,
            WindowMicros = rule.WindowMicros,
            Burst = rule.Algorithm == AlgorithmKind.TokenBucket ? rule.Burst : null,
        };
    }

    /// <summary>Makes the rule: like another, but for what this limit says.</summary>
    /// <returns>Null when it is not possible, with the problems added.</returns>
    public Rule? ToRule(Rule like, ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(like);
        ArgumentNullException.ThrowIfNull(problems);
        if (!AlgorithmNames.TryParse(Algorithm, out var algorithm))
        {
            problems.Add($"algorithm '{Algorithm}' is not known");
            return null;
        }
        // Beyond this a time span has no room; the rule's own bounds are far below.
        if (WindowMicros is < 0 or > long.MaxValue / TimeSpan.TicksPerMicrosecond)
        {
            problems.Add($"window {WindowMicros} µs is out of range");
            return null;
        }
        var window = TimeSpan.FromTicks(WindowMicros * TimeSpan.TicksPerMicrosecond);
        return Rule.TryCreate(like.ToOptions() with { Algorithm = algorithm, Permits = Limit, Window = window, Burst = Burst }, problems);
    }

    internal string ToJson() => JsonSerializer.Serialize(this, SharedJson.Default.OverrideLimit);

    internal static OverrideLimit? Read(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, SharedJson.Default.OverrideLimit);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
