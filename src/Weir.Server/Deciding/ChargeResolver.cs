using System.Runtime.CompilerServices;
using Weir.Server.Rules;

namespace Weir.Server.Deciding;

/// <summary>Finds which counters a request charges: matches rules, applies overrides, makes identities.</summary>
/// <remarks>Thread safe. Each check sees one snapshot of the rules; a reload may fall between two checks of a batch.</remarks>
internal sealed class ChargeResolver(RulesStore rules, Rule defaultRule, CounterHasher hasher)
{
    private readonly ConditionalWeakTable<Rule, object> _starts = [];
    private readonly CounterId _defaultStart = hasher.Start(defaultRule);

    public Rule DefaultRule => defaultRule;

    public Overrides Overrides { get; } = new();

    public CallRules CallRules { get; } = new(defaultRule);

    /// <summary>True when a plain key always means the default rule, so that its text need not be looked at.</summary>
    public bool KeysAreSimple => !Overrides.Any && !rules.Current.RuleSet.HasKeyRules;

    /// <summary>The charge of a plain key under the default rule.</summary>
    /// <param name="label">The key's label; must stay unchanged until the engine has answered.</param>
    /// <param name="cost">Permits to take.</param>
    public Charge ForDefault(ReadOnlyMemory<byte> label, int cost) => new(defaultRule, hasher.Combine(_defaultStart, label.Span), cost, label);

    /// <summary>The charge of a plain key.</summary>
    /// <returns>False when rules exempt the key.</returns>
    public bool TryForKey(string key, int cost, out Charge charge)
    {
        var label = CounterLabel.OfKey(key);
        charge = default;
        if (Overrides.Find(key) is { } own)
        {
            charge = new Charge(own, hasher.Combine(_defaultStart, label), cost, label);
            return true;
        }
        var match = rules.Current.RuleSet.MatchKey(key);
        if (match.Kind == MatchKind.Matched)
        {
            charge = ForMatch(match, KeyDescriptor(key), cost);
            return !match.Rule!.Unlimited;
        }
        charge = ForDefault(label, cost);
        return match.Kind != MatchKind.Whitelisted;
    }

    /// <summary>The charge of a plain key under a limit that the caller names.</summary>
    public Charge ForCall(string key, long? limit, long? windowMicros, int cost)
    {
        var rule = CallRules.Get(limit, windowMicros);
        var label = CounterLabel.OfKey(key);
        return new Charge(rule, hasher.Combine(StartOf(rule), label), cost, label);
    }

    /// <summary>The charges of a request's descriptors; a descriptor to which no limit applies has none.</summary>
    /// <returns>The charges, and for each the index of its descriptor.</returns>
    /// <exception cref="InputException">The domain is unknown, or a descriptor too long.</exception>
    public (Charge[] Charges, int[] Places) ForDescriptors(CheckRequest request)
    {
        var set = rules.Current.RuleSet;
        if (!set.HasDomain(request.Domain))
            throw new InputException("domain", UnknownDomain(request.Domain, set));
        var matches = new RuleMatch[request.Descriptors.Count];
        var matched = new Rule?[matches.Length];
        for (var i = 0; i < matches.Length; i++)
        {
            matches[i] = set.Match(request.Domain, request.Descriptors[i]);
            matched[i] = matches[i].Rule;
        }
        Replacements.Apply(matched);
        var places = Enumerable.Range(0, matched.Length).Where(i => matched[i] is { Unlimited: false }).ToArray();
        var charges = Array.ConvertAll(places, i =>
            ForMatch(matches[i], request.Descriptors[i], request.Descriptors[i].Cost ?? request.Cost ?? 1));
        return (charges, places);
    }

    /// <summary>The counters that a plain key may have: under the default rule, a matching rule, and every limit that callers named.</summary>
    public IEnumerable<CounterId> CountersOf(string key)
    {
        var label = CounterLabel.OfKey(key);
        yield return hasher.Combine(_defaultStart, label);
        var match = rules.Current.RuleSet.MatchKey(key);
        if (match.Kind == MatchKind.Matched)
            yield return ForMatch(match, KeyDescriptor(key), 0).Id;
        foreach (var rule in CallRules.All)
            yield return hasher.Combine(StartOf(rule), label);
    }

    private Charge ForMatch(RuleMatch match, Descriptor descriptor, int cost)
    {
        var label = CounterLabel.OfDescriptor(match.CounterEntries(descriptor));
        if (label.Length > CounterLabel.MaxBytes)
            throw new InputException("descriptors", $"a descriptor has {label.Length:N0} bytes and may have {CounterLabel.MaxBytes:N0}. Use fewer or shorter entries.");
        return new Charge(match.Rule!, hasher.Combine(StartOf(match.Rule!), label), cost, label);
    }

    private CounterId StartOf(Rule rule) => (CounterId)_starts.GetValue(rule, r => hasher.Start(r));

    private static Descriptor KeyDescriptor(string key) => new([new DescriptorEntry(RuleSet.SimpleKey, key)]);

    private static string UnknownDomain(string domain, RuleSet set) => set.Domains.Count == 0
        ? $"'{domain}' is not known: no rules are loaded. Start the node with RATELIMITER_RULES, or send a key instead of descriptors."
        : $"'{domain}' is not known. Known domains: {string.Join(", ", set.Domains.Take(10))}.";
}
