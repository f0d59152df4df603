using System.Runtime.CompilerServices;

namespace Weir.AspNetCore;

/// <summary>Makes the identities of counters under one seed. Thread safe.</summary>
internal sealed class CounterNames(CounterHasher hasher)
{
    private readonly ConditionalWeakTable<Rule, Known> _starts = [];

    // Most applications ask for the same limit over and over.
    private volatile Known? _last;

    private sealed record Known(Rule Rule, CounterId Start);

    public CounterId IdOf(Rule rule, ReadOnlySpan<byte> label)
    {
        var known = _last;
        if (known is null || !ReferenceEquals(known.Rule, rule))
            _last = known = _starts.TryGetValue(rule, out var found) ? found : AddSlow(rule);
        return hasher.Combine(known.Start, label);
    }

    private Known AddSlow(Rule rule) => _starts.GetValue(rule, r => new Known(r, hasher.Start(r)));
}
