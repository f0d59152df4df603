using System.Collections.Concurrent;

namespace Weir.Server.Deciding;

/// <summary>Limits that an administrator set for single keys, in place of the default rule. Thread safe; kept until lifted or the node stops.</summary>
internal sealed class Overrides
{
    /// <summary>Most keys that can have a limit of their own.</summary>
    public const int Max = 100_000;

    private readonly ConcurrentDictionary<string, Rule> _rules = new(StringComparer.Ordinal);

    // Changes take turns: one that empties the table must not tell so after another has filled it again.
    private readonly Lock _changing = new();
    private volatile bool _any;

    /// <summary>False as long as no key has a limit of its own: the check path then asks no further.</summary>
    public bool Any => _any;

    public IEnumerable<KeyValuePair<string, Rule>> All => _rules.OrderBy(p => p.Key, StringComparer.Ordinal);

    public Rule? Find(string key) => _rules.GetValueOrDefault(key);

    /// <exception cref="InputException">There are too many.</exception>
    public void Set(string key, Rule rule)
    {
        lock (_changing)
        {
            if (_rules.Count >= Max && !_rules.ContainsKey(key))
                throw new InputException("key", $"{Max:N0} keys have limits of their own already. Lift some, or write a rule that matches many keys.", 409);
            _rules[key] = rule;
            _any = true;
        }
    }

    public bool Lift(string key)
    {
        lock (_changing)
        {
            var lifted = _rules.TryRemove(key, out _);
            _any = !_rules.IsEmpty;
            return lifted;
        }
    }
}
