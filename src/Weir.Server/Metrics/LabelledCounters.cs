using System.Collections.Concurrent;

namespace Weir.Server.Metrics;

/// <summary>
/// One counter per value of a label. The values come from the program, never from requests; should a caller break that, the number of
/// values stays bounded and the rest is counted as <c>other</c>. Thread safe.
/// </summary>
internal sealed class LabelledCounters
{
    /// <summary>Most values that get a counter of their own.</summary>
    public const int MaxValues = 64;

    private const string Other = "other";

    private readonly ConcurrentDictionary<string, StripedCounters> _counters = new(StringComparer.Ordinal);

    /// <summary>Counters for values known beforehand, which are shown from the start so that a rate over the first event is seen.</summary>
    public LabelledCounters(params ReadOnlySpan<string> known)
    {
        foreach (var value in known)
            _counters[value] = new StripedCounters(1);
    }

    /// <summary>Adds one to the counter of a value.</summary>
    public void Increment(string value) => (_counters.TryGetValue(value, out var counter) ? counter : AddSlow(value)).Increment(0);

    /// <summary>Every value and its count, ordered by value.</summary>
    public IEnumerable<(string Value, long Count)> Read() =>
        _counters.OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => (c.Key, c.Value.Sum(0)));

    private StripedCounters AddSlow(string value) =>
        _counters.GetOrAdd(_counters.Count < MaxValues ? value : Other, static _ => new StripedCounters(1));
}
