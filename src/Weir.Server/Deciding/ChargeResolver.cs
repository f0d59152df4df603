using System.Runtime.CompilerServices;
using Weir.Server.Rules;

namespace Weir.Server.Deciding;

/// <summary>Finds which counters a request charges: matches rules, applies overrides, makes identities.</summary>
/// <remarks>
/// Thread safe. Each check sees one snapshot of the rules, and one seed under which its counters are named; a reload may fall between two checks of a batch.
/// </remarks>
internal sealed class ChargeResolver(RulesStore rules, Rule defaultRule, CounterHasher hasher)
{
    private volatile Naming _naming = new(hasher, defaultRule);

    public Rule DefaultRule => defaultRule;

    /// <summary>The limits of single keys that are in force.</summary>
    public Overrides Overrides { get; } = new();

    public CallRules CallRules { get; } = new(defaultRule);

    /// <summary>True when a plain key always means the default rule, so that its text need not be looked at.</summary>
    public bool KeysAreSimple => !Overrides.Any && !rules.Current.RuleSet.HasKeyRules;

    /// <summary>The charge of a plain key under the default rule.</summary>
    /// <param name="label">The key's label; must stay unchanged until the engine has answered.</param>
    /// <param name="cost">Permits to take.</param>
    public Charge ForDefault(ReadOnlyMemory<byte> label, int cost) => ForDefault(_naming, label, cost);

    /// <summary>Names counters by another hasher from now on. Counters that were named by the one before are not found again.</summary>
    public void UseHasher(CounterHasher other) => _naming = new Naming(other, defaultRule);

    /// <summary>The charge of a plain key.</summary>
    /// <returns>False when rules exempt the key.</returns>
    public bool TryForKey(string key, int cost, out Charge charge)
    {
        var (naming, label) = (_naming, CounterLabel.OfKey(key));
        charge = default;
        if (Overrides.Find(key) is { } own)
        {
            charge = new Charge(own, naming.IdForDefault(label), cost, label);
            return true;
        }
        var match = rules.Current.RuleSet.MatchKey(key);
        if (match.Kind == MatchKind.Matched)
        {
            charge = ForMatch(naming, match, KeyDescriptor(key), cost);
            return !match.Rule!.Unlimited;
        }
        charge = ForDefault(naming, label, cost);
        return match.Kind != MatchKind.Whitelisted;
    }

    /// <summary>The charge of a plain key under a limit that the caller names.</summary>
    public Charge ForCall(string key, long? limit, long? windowMicros, int cost)
    {
        var rule = CallRules.Get(limit, windowMicros);
        var label = CounterLabel.OfKey(key);
        return new Charge(rule, _naming.IdOf(rule, label), cost, label);
    }

    /// <summary>The charges of a request's descriptors; a descriptor to which no limit applies has none.</summary>
    /// <returns>The charges, and for each the index of its descriptor.</returns>
    /// <exception cref="InputException">The domain is unknown, or a descriptor too long.</exception>
    public (Charge[] Charges, int[] Places) ForDescriptors(CheckRequest request)
    {
        var (set, naming) = (rules.Current.RuleSet, _naming);
        if (!set.HasDomain(request.Domain) && request.Descriptors.Any(static d => d.Limit is null))
            throw new InputException("domain", UnknownDomain(request.Domain, set));
        var matches = new RuleMatch[request.Descriptors.Count];
        var matched = new Rule?[matches.Length];
        for (var i = 0; i < matches.Length; i++)
        {
            var asked = request.Descriptors[i];
            matches[i] = asked.Limit is null ? set.Match(request.Domain, asked.Descriptor) : default;
            matched[i] = asked.Limit is { } limit ? RuleOf(request.Domain, limit, i) : matches[i].Rule;
        }
        Replacements.Apply(matched);
        var places = Enumerable.Range(0, matched.Length).Where(i => matched[i] is { Unlimited: false }).ToArray();
        var charges = Array.ConvertAll(places, i =>
        {
            var (descriptor, own, _) = request.Descriptors[i];
            return Charge(naming, matched[i]!, own is null ? matches[i].CounterEntries(descriptor) : descriptor.Entries, descriptor.Cost ?? request.Cost ?? 1);
        });
        return (charges, places);
    }

    /// <summary>The counters that a plain key may have: under the default rule, a matching rule, and every limit that callers named.</summary>
    public IEnumerable<CounterId> CountersOf(string key)
    {
        var (naming, label) = (_naming, CounterLabel.OfKey(key));
        yield return naming.IdForDefault(label);
        var match = rules.Current.RuleSet.MatchKey(key);
        if (match.Kind == MatchKind.Matched)
            yield return ForMatch(naming, match, KeyDescriptor(key), 0).Id;
        foreach (var rule in CallRules.All)
            yield return naming.IdOf(rule, label);
    }

    private Charge ForDefault(Naming naming, ReadOnlyMemory<byte> label, int cost) => new(defaultRule, naming.IdForDefault(label.Span), cost, label);

    // The rule of a limit that a descriptor brings along.
    private Rule RuleOf(string domain, RuleOptions limit, int place)
    {
        var problems = new List<string>();
        var options = limit with { Domain = domain, Path = CallLimitPath.Of(limit.Name, limit.Algorithm, limit.Permits, limit.Window) };
        if (CallRules.Get(options, problems) is { } rule)
            return rule;
        var problem = RuleProblems.ToInput(problems);
        throw new InputException($"descriptors[{place}].rate_limit.{problem.Field}", problem.Message[(problem.Field.Length + 2)..]);
    }

    private static Charge ForMatch(Naming naming, RuleMatch match, Descriptor descriptor, int cost) =>
        Charge(naming, match.Rule!, match.CounterEntries(descriptor), cost);

    private static Charge Charge(Naming naming, Rule rule, IReadOnlyList<DescriptorEntry> entries, int cost)
    {
        var label = CounterLabel.OfDescriptor(entries);
        if (label.Length > CounterLabel.MaxBytes)
            throw new InputException("descriptors", $"a descriptor has {label.Length:N0} bytes and may have {CounterLabel.MaxBytes:N0}. Use fewer or shorter entries.");
        return new Charge(rule, naming.IdOf(rule, label), cost, label);
    }

    private static Descriptor KeyDescriptor(string key) => new([new DescriptorEntry(RuleSet.SimpleKey, key)]);

    private static string UnknownDomain(string domain, RuleSet set) => set.Domains.Count == 0
        ? $"'{domain}' is not known: no rules are loaded. Start the node with RATELIMITER_RULES, or send a key instead of descriptors."
        : $"'{domain}' is not known. Known domains: {string.Join(", ", set.Domains.Take(10))}.";

    /// <summary>A hasher with what it has made of rules: exchanged as one, so that no counter is named half by one seed and half by another.</summary>
    private sealed class Naming(CounterHasher hasher, Rule defaultRule)
    {
        private readonly CounterId _defaultStart = hasher.Start(defaultRule);
        private readonly ConditionalWeakTable<Rule, object> _starts = [];

        public CounterId IdForDefault(ReadOnlySpan<byte> label) => hasher.Combine(_defaultStart, label);

        public CounterId IdOf(Rule rule, ReadOnlySpan<byte> label) => hasher.Combine((CounterId)_starts.GetValue(rule, r => hasher.Start(r)), label);
    }
}
