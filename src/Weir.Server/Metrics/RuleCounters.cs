using System.Collections.Concurrent;

namespace Weir.Server.Metrics;

/// <summary>What was decided under each rule, by the names of rule and domain.</summary>
/// <remarks>
/// Thread safe. A rule object is found by reference in a cache, which costs nanoseconds; rules that a reload or a request made anew are
/// found by their names, so that their counts go on. Both tables are bounded: the cache is emptied when it is full, and rules past the
/// first <see cref="MaxRules"/> names share the counters of rule <c>other</c>.
/// </remarks>
internal sealed class RuleCounters
{
    /// <summary>Most pairs of domain and rule that get counters of their own.</summary>
    public const int MaxRules = 1_000;

    private const int MaxCached = 16 * MaxRules;
    private const string Other = "other";

    private readonly ConcurrentDictionary<Rule, StripedCounters> _cache = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<(string Domain, string Rule), StripedCounters> _byName = [];
    private readonly Lock _lock = new();

    /// <summary>Adds one to the counter of a rule and a result.</summary>
    public void Increment(Rule rule, RuleResult result) =>
        (_cache.TryGetValue(rule, out var counters) ? counters : FindSlow(rule)).Increment((int)result);

    /// <summary>Lets go of rules that are no longer in force. Counts are kept.</summary>
    public void ForgetRules()
    {
        lock (_lock)
            _cache.Clear();
    }

    /// <summary>Writes the counters as one family.</summary>
    public void Write(PrometheusWriter writer, string name, string help)
    {
        writer.Family(name, "counter", help);
        foreach (var ((domain, rule), counters) in Snapshot())
        {
            for (var result = 0; result < RuleResults.Count; result++)
                writer.Sample(name, counters.Sum(result), ("domain", domain), ("rule", rule), ("result", RuleResults.Names[result]));
        }
    }

    private StripedCounters FindSlow(Rule rule)
    {
        lock (_lock)
        {
            // Counting the entries of the cache takes all its locks, which is why this happens on the slow path only.
            if (_cache.Count >= MaxCached)
                _cache.Clear();
            return _cache[rule] = CountersLocked((rule.Domain, rule.Name));
        }
    }

    private StripedCounters CountersLocked((string Domain, string Rule) name)
    {
        if (!_byName.ContainsKey(name) && _byName.Count >= MaxRules)
            name = (Other, Other);
        if (!_byName.TryGetValue(name, out var counters))
            _byName[name] = counters = new StripedCounters(RuleResults.Count);
        return counters;
    }

    private List<KeyValuePair<(string Domain, string Rule), StripedCounters>> Snapshot()
    {
        lock (_lock)
            return [.. _byName];
    }
}

/// <summary>What became of a request under one rule.</summary>
internal enum RuleResult
{
    /// <summary>The permits were taken.</summary>
    Allowed,

    /// <summary>The request was refused.</summary>
    Blocked,

    /// <summary>The request went on, but would have been refused if the rule were not a shadow.</summary>
    ShadowBlocked,
}

/// <summary>The label values of <see cref="RuleResult"/>.</summary>
internal static class RuleResults
{
    public const int Count = 3;

    public static readonly string[] Names = ["allowed", "blocked", "shadow_blocked"];
}
