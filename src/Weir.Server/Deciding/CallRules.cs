using System.Collections.Concurrent;

namespace Weir.Server.Deciding;

/// <summary>
/// Rules for limits that callers name in their requests. Equal limits share a rule, so that deciding finds its counters under the same object; each limit
/// counts apart from every other.
/// </summary>
internal sealed class CallRules(Rule defaultRule)
{
    /// <summary>Most limits remembered at once. Past that the table starts again; counters are found by what the limit is, so none is lost.</summary>
    private const int Max = 10_000;

    private readonly ConcurrentDictionary<(long Permits, long WindowMicros), Rule> _rules = new();
    private readonly ConcurrentDictionary<RuleOptions, Rule> _named = new();

    /// <summary>The limits that were named for plain keys.</summary>
    public IEnumerable<Rule> All => _rules.Values;

    /// <summary>The rule of a limit that a descriptor brought along.</summary>
    /// <param name="options">The limit, with domain and path.</param>
    /// <param name="problems">Receives what is wrong with it.</param>
    /// <returns>Null when there was a problem.</returns>
    public Rule? Get(RuleOptions options, List<string> problems)
    {
        if (_named.TryGetValue(options, out var known))
            return known;
        if (Rule.TryCreate(options, problems) is not { } rule)
            return null;
        if (_named.Count >= Max)
            _named.Clear();
        return _named.GetOrAdd(options, rule);
    }

    /// <exception cref="InputException">Limit and window together break a bound of the algorithm.</exception>
    public Rule Get(long? limit, long? windowMicros)
    {
        var key = (limit ?? defaultRule.Permits, windowMicros ?? defaultRule.WindowMicros);
        if (_rules.TryGetValue(key, out var known))
            return known;
        var problems = new List<string>();
        var options = defaultRule.ToOptions() with
        {
            Path = $"{defaultRule.Path}/{key.Item1}/{key.Item2}",
            Permits = key.Item1,
            Window = TimeSpan.FromTicks(key.Item2 * TimeSpan.TicksPerMicrosecond),
            Burst = null,
        };
        var rule = Rule.TryCreate(options, problems) ?? throw RuleProblems.ToInput(problems);
        if (_rules.Count >= Max)
            _rules.Clear();
        return _rules.GetOrAdd(key, rule);
    }
}
