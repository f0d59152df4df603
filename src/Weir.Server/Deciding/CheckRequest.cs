namespace Weir.Server.Deciding;

/// <summary>One check as the caller asked for it: by key, or by domain and descriptors. Values are in range.</summary>
internal sealed class CheckRequest
{
    /// <summary>The key of the simple form; null for descriptors.</summary>
    public string? Key { get; init; }

    public string Domain { get; init; } = RuleSet.DefaultDomain;

    public IReadOnlyList<AskedDescriptor> Descriptors { get; init; } = [];

    /// <summary>Permits to take; null when not given.</summary>
    public int? Cost { get; init; }

    /// <summary>A limit for this call alone, or null.</summary>
    public long? Limit { get; init; }

    /// <summary>A window for this call alone, or null.</summary>
    public long? WindowMicros { get; init; }

    /// <summary>How long a reservation may stay open; null when not given.</summary>
    public long? TtlMillis { get; init; }

    /// <summary>What a refund gives back; null when not given.</summary>
    public string? Receipt { get; init; }
}

/// <summary>A descriptor as a caller presents it.</summary>
/// <param name="Descriptor">The entries and their cost.</param>
/// <param name="Limit">A limit that it brings along in place of what rules say, without domain and place; null for the rules.</param>
/// <param name="IsFinal">In a reservation: the cost is known and stays, whatever the reservation is committed with.</param>
internal sealed record AskedDescriptor(Descriptor Descriptor, RuleOptions? Limit, bool IsFinal);

/// <summary>What a body may contain besides key, domain and descriptors.</summary>
[Flags]
internal enum CheckFields
{
    None = 0,
    Ttl = 1,
    Receipt = 2,
    Final = 4,
}
