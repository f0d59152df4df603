using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Proof;

/// <summary>Looks for headers that cannot be true.</summary>
internal static class HeaderCheck
{
    /// <summary>Headers of a key's answers that are wrong for sure.</summary>
    public static List<Finding> Find(KeyTrace trace, Promise promise) =>
        [.. Limits(trace, promise), .. RemainingCheck.Find(trace, promise), .. RetryAfters(trace)];

    private static IEnumerable<Finding> Limits(KeyTrace trace, Promise promise)
    {
        foreach (var answer in trace.All)
        {
            if (answer.Told.Limit is not Told.Unsaid and var said && !IsLimit(said, promise))
                yield return Describe(Fault.WrongLimit, trace, answer, $"X-RateLimit-Limit says {said:N0}, where {promise} is expected");
        }
    }

    /// <summary>Whether a number can be the limit that a header names: that of the window, or what a bucket holds.</summary>
    public static bool IsLimit(int said, Promise promise) => said == promise.Limit || (promise.Algorithm == Algorithm.TokenBucket && said == promise.Burst);

    /// <summary>
    /// Who was refused, told when to come, and came after that, must not be refused if nobody can have taken anything in between. The wait is counted from the
    /// answer, which is the latest instant at which it can have begun.
    /// </summary>
    private static IEnumerable<Finding> RetryAfters(KeyTrace trace)
    {
        var refused = trace.Refused;
        var firstEnds = LeastFrom(refused, static o => o.AnsweredNanos);
        var takers = trace.PossibleTimes.OrderBy(static t => t.To).ToArray();
        var firstBegins = LeastFrom(takers, static t => t.From);
        var ends = trace.PossibleEnds;
        foreach (var told in refused)
        {
            if (told.Told.RetryAfterSeconds == Told.Unsaid)
                continue;
            var waited = told.AnsweredNanos + Tolerance.Longest(told.Told.RetryAfterSeconds * 1_000_000_000L);
            var again = FirstSentFrom(refused, waited);
            var taken = firstBegins[KeyTrace.UpTo(ends, told.SentNanos - 1)];
            if (firstEnds[again] < taken)
            {
                while (refused[again].AnsweredNanos >= taken)
                    again++;
                yield return Describe(Fault.WrongRetryAfter, trace, told,
                    $"Retry-After said {told.Told.RetryAfterSeconds:N0} s, and a request sent {(refused[again].SentNanos - told.AnsweredNanos) / 1e9:N3} s later was refused although nothing was taken in between");
            }
        }
    }

    // Entry i is the least of all entries from i on; the last, beyond the end, is without bound.
    private static long[] LeastFrom<T>(T[] items, Func<T, long> value)
    {
        var least = new long[items.Length + 1];
        least[^1] = long.MaxValue;
        for (var i = items.Length - 1; i >= 0; i--)
            least[i] = Math.Min(least[i + 1], value(items[i]));
        return least;
    }

    private static int FirstSentFrom(Observation[] sorted, long nanos)
    {
        var (low, high) = (0, sorted.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (sorted[middle].SentNanos < nanos)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    private static Finding Describe(Fault fault, KeyTrace trace, Observation answer, string text) =>
        new(fault, trace.Name, new Bracket(answer.SentNanos, answer.AnsweredNanos), text) { ByTarget = TargetCounts.Of([answer]) };
}
