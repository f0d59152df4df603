using System.Collections.Frozen;

namespace Weir;

/// <summary>Where in the files something stands.</summary>
internal readonly record struct RulePlace(string File, int Line)
{
    public override string ToString() => $"{File}:{Line}";
}

/// <summary>One descriptor of a rules file: a key, with or without a value, and what is below it.</summary>
internal sealed class RuleNode
{
    public RuleNode(string key, string? value, RulePlace place, Rule? rule, RuleLevel? children, IReadOnlyList<string?>? shared)
    {
        Key = key;
        Value = value;
        Place = place;
        Rule = rule;
        Children = children;
        if (value is not null && WildcardPattern.IsPattern(value))
            Pattern = new WildcardPattern(value);
        Match = rule is not null ? new RuleMatch(MatchKind.Matched, rule, shared)
            : children is null ? new RuleMatch(MatchKind.Whitelisted, null, null)
            : default;
    }

    public string Key { get; }

    /// <summary>The exact value or the pattern; null when any value will do.</summary>
    public string? Value { get; }

    public WildcardPattern? Pattern { get; }

    public RulePlace Place { get; }

    public Rule? Rule { get; }

    /// <summary>The level below, or null when there is none.</summary>
    public RuleLevel? Children { get; }

    /// <summary>What a descriptor that ends here gets.</summary>
    public RuleMatch Match { get; }

    public override string ToString() => Value is null ? Key : $"{Key}={Value}";
}

/// <summary>The descriptors that stand side by side, found by key and value.</summary>
internal sealed class RuleLevel
{
    private readonly FrozenDictionary<string, RuleBranch> _branches;

    /// <summary>A level of one or more nodes, in file order.</summary>
    public RuleLevel(IReadOnlyList<RuleNode> nodes)
    {
        Nodes = nodes;
        _branches = nodes.GroupBy(n => n.Key).ToFrozenDictionary(g => g.Key, g => new RuleBranch([.. g]));
    }

    /// <summary>All nodes, in file order.</summary>
    public IReadOnlyList<RuleNode> Nodes { get; }

    public RuleBranch? Branch(string key) => _branches.GetValueOrDefault(key);

    public RuleNode? Find(string key, string value) => _branches.TryGetValue(key, out var branch) ? branch.Find(value) : null;
}

/// <summary>The descriptors of one level that share a key.</summary>
internal sealed class RuleBranch
{
    private readonly FrozenDictionary<string, RuleNode>.AlternateLookup<ReadOnlySpan<char>> _exact;

    public RuleBranch(IReadOnlyList<RuleNode> nodes)
    {
        Nodes = nodes;
        Exact = nodes.Where(n => n.Value is not null && n.Pattern is null).ToFrozenDictionary(n => n.Value!);
        Patterns = [.. nodes.Where(n => n.Pattern is not null)];
        Bare = nodes.FirstOrDefault(n => n.Value is null);
        _exact = Exact.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public IReadOnlyList<RuleNode> Nodes { get; }

    public FrozenDictionary<string, RuleNode> Exact { get; }

    /// <summary>The nodes whose value is a pattern, in file order: the first that fits is taken.</summary>
    public RuleNode[] Patterns { get; }

    /// <summary>The node without a value, taken when nothing else fits.</summary>
    public RuleNode? Bare { get; }

    public RuleNode? Find(ReadOnlySpan<char> value)
    {
        if (_exact.TryGetValue(value, out var node))
            return node;
        foreach (var candidate in Patterns)
        {
            if (candidate.Pattern!.Matches(value))
                return candidate;
        }
        return Bare;
    }
}
