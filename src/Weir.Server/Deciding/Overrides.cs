using System.Collections.Concurrent;

namespace Weir.Server.Deciding;

/// <summary>The limits that single keys have in place of the default rule, on this node. Thread safe.</summary>
internal sealed class Overrides
{
    private volatile ConcurrentDictionary<string, Rule> _rules = new(StringComparer.Ordinal);

    // Changes take turns: one that empties the table must not tell so after another has filled it again.
    private readonly Lock _changing = new();
    private volatile bool _any;

    /// <summary>False as long as no key has a limit of its own: the check path then asks no further.</summary>
    public bool Any => _any;

    public IEnumerable<KeyValuePair<string, Rule>> All => _rules.OrderBy(p => p.Key, StringComparer.Ordinal);

    public Rule? Find(string key) => _rules.GetValueOrDefault(key);

    /// <summary>Gives a key a limit.</summary>
    /// <param name="key">The key.</param>
    /// <param name="rule">The limit.</param>
    /// <param name="most">How many keys may have one.</param>
    /// <returns>False when as many have one already.</returns>
    public bool TrySet(string key, Rule rule, int most)
    {
        lock (_changing)
        {
            if (_rules.Count >= most && !_rules.ContainsKey(key))
                return false;
            _rules[key] = rule;
            return _any = true;
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

    /// <summary>Puts other limits in place of all that there are.</summary>
    public void Replace(IEnumerable<KeyValuePair<string, Rule>> all)
    {
        var rules = new ConcurrentDictionary<string, Rule>(all, StringComparer.Ordinal);
        lock (_changing)
        {
            _rules = rules;
            _any = !rules.IsEmpty;
        }
    }
}
