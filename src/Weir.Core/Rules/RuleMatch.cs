namespace Weir;

/// <summary>What a set of rules says to a descriptor.</summary>
public enum MatchKind
{
    /// <summary>The domain is known and no place in it fits the descriptor, or the place that fits has no limit of its own.</summary>
    NoMatch,

    /// <summary>There is no such domain.</summary>
    UnknownDomain,

    /// <summary>The descriptor ends at a place with neither limit nor children: it is exempt on purpose.</summary>
    Whitelisted,

    /// <summary>A rule applies: <see cref="RuleMatch.Rule"/>.</summary>
    Matched,
}

/// <summary>The answer of <see cref="RuleSet.Match"/>. A value; making one allocates nothing.</summary>
public readonly struct RuleMatch
{
    private readonly IReadOnlyList<string?>? _shared;

    internal RuleMatch(MatchKind kind, Rule? rule, IReadOnlyList<string?>? shared)
    {
        Kind = kind;
        Rule = rule;
        _shared = shared;
    }

    /// <summary>What was found.</summary>
    public MatchKind Kind { get; }

    /// <summary>The rule that applies. Null unless <see cref="Kind"/> is <see cref="MatchKind.Matched"/>.</summary>
    public Rule? Rule { get; }

    /// <summary>True when some value is counted under its pattern (<c>share_threshold</c>), so that all values which fit share one counter.</summary>
    public bool IsShared => _shared is not null;

    /// <summary>The pattern that stands for the value of an entry in the counter's identity, or null when the value itself does.</summary>
    /// <param name="entry">Index of the entry, from 0.</param>
    public string? SharedValue(int entry) => _shared is not null && entry < _shared.Count ? _shared[entry] : null;

    /// <summary>The entries that identify the counter: the descriptor's own, with patterns for shared values.</summary>
    /// <remarks>Allocates only when <see cref="IsShared"/>.</remarks>
    public IReadOnlyList<DescriptorEntry> CounterEntries(Descriptor descriptor)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        if (_shared is null)
            return descriptor.Entries;
        var entries = new DescriptorEntry[descriptor.Entries.Count];
        for (var i = 0; i < entries.Length; i++)
        {
            var entry = descriptor.Entries[i];
            entries[i] = SharedValue(i) is { } pattern ? entry with { Value = pattern } : entry;
        }
        return entries;
    }
}
