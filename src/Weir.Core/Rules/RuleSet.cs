using System.Collections.Frozen;

namespace Weir;

/// <summary>
/// An immutable snapshot of the rules of all domains. A reload makes a new one and swaps the reference, so a request sees one
/// snapshot from beginning to end.
/// </summary>
/// <remarks>Thread safe. Lookups are frozen when the set is made; matching allocates nothing.</remarks>
public sealed class RuleSet
{
    /// <summary>The domain of the simple API.</summary>
    public const string DefaultDomain = "default";

    /// <summary>The key of the one entry that the simple API presents.</summary>
    public const string SimpleKey = "key";

    private static readonly RuleMatch UnknownDomain = new(MatchKind.UnknownDomain, null, null);

    private readonly FrozenDictionary<string, RuleDomain> _domains;
    private readonly RuleBranch? _simple;

    internal RuleSet(IReadOnlyList<RuleDomain> domains)
    {
        _domains = domains.ToFrozenDictionary(d => d.Name);
        Domains = [.. domains.Select(d => d.Name)];
        Rules = [.. domains.SelectMany(d => d.Rules)];
        _simple = _domains.GetValueOrDefault(DefaultDomain)?.Top.Branch(SimpleKey);
    }

    /// <summary>No domain and no rule.</summary>
    public static RuleSet Empty { get; } = new([]);

    /// <summary>The rules of all domains, in file order; a rule stands before the rules below it.</summary>
    public IReadOnlyList<Rule> Rules { get; }

    /// <summary>The names of the domains, in file order.</summary>
    public IReadOnlyList<string> Domains { get; }

    /// <summary>True when domain <c>default</c> says anything about the key <c>key</c>. False: <see cref="MatchKey"/> can be skipped.</summary>
    public bool HasKeyRules => _simple is not null;

    /// <summary>True when there is such a domain. Case matters.</summary>
    public bool HasDomain(string domain) => _domains.ContainsKey(domain);

    /// <summary>Finds what applies to a descriptor.</summary>
    /// <remarks>
    /// At each level the exact value is taken before the first pattern that fits, and that before the key without a value. A branch once taken is not
    /// left again, and a limit applies only to descriptors that end exactly where it stands.
    /// </remarks>
    public RuleMatch Match(string domain, Descriptor descriptor)
    {
        ArgumentNullException.ThrowIfNull(domain);
        ArgumentNullException.ThrowIfNull(descriptor);
        if (!_domains.TryGetValue(domain, out var tree))
            return UnknownDomain;
        RuleNode? node = null;
        var level = tree.Top;
        var entries = descriptor.Entries;
        for (var i = 0; i < entries.Count; i++)
        {
            node = level?.Find(entries[i].Key, entries[i].Value);
            if (node is null)
                return default;
            level = node.Children;
        }
        return node?.Match ?? default;
    }

    /// <summary>Finds what applies to the one-entry descriptor (<c>key</c>, <paramref name="key"/>) in domain <c>default</c>.</summary>
    /// <returns>As <see cref="Match"/>; <see cref="MatchKind.NoMatch"/> also when there is no domain <c>default</c>.</returns>
    public RuleMatch MatchKey(ReadOnlySpan<char> key) => _simple?.Find(key)?.Match ?? default;

    /// <summary>Says which rule applies to a descriptor, and why not the others.</summary>
    public Explanation Explain(string domain, Descriptor descriptor)
    {
        ArgumentNullException.ThrowIfNull(domain);
        ArgumentNullException.ThrowIfNull(descriptor);
        return new RuleExplainer(this, _domains.GetValueOrDefault(domain), domain, descriptor).Explain();
    }
}

/// <summary>One domain: its tree of descriptors.</summary>
internal sealed record RuleDomain(string Name, RulePlace Place, RuleLevel Top, IReadOnlyList<Rule> Rules);
