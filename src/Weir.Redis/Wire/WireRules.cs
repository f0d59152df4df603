using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Weir.Redis;

/// <summary>Rules as the script gets them, made once for each. Thread safe.</summary>
internal sealed class WireRules
{
    // A rule of this place may have had any number of forms; the places are as many as the rules that are configured.
    private readonly ConcurrentDictionary<(string Domain, string Path), RulePath> _paths = new();
    private readonly ConditionalWeakTable<Rule, WireRule> _rules = [];
    private WireRule? _last;

    public WireRule Of(Rule rule)
    {
        var last = Volatile.Read(ref _last);
        if (last is not null && ReferenceEquals(last.Rule, rule))
            return last;
        if (!_rules.TryGetValue(rule, out var wire))
            wire = _rules.GetValue(rule, r => new WireRule(r, _paths.GetOrAdd((r.Domain, r.Path), static _ => new RulePath())));
        Volatile.Write(ref _last, wire);
        return wire;
    }
}
