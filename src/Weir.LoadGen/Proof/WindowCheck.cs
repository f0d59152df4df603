using Weir.LoadGen.Configuration;

namespace Weir.LoadGen.Proof;

/// <summary>Looks for more than a number of requests in any interval of a window's length.</summary>
internal static class WindowCheck
{
    /// <summary>What cannot have happened if at most <paramref name="capacity"/> requests were admitted in every interval of the window's length.</summary>
    /// <param name="trace">The key.</param>
    /// <param name="capacity">Requests.</param>
    /// <param name="windowNanos">The window as promised.</param>
    /// <param name="fullest">The most that were admitted within one window for sure.</param>
    /// <param name="open">Whether the question was too hard to answer; nothing is claimed then.</param>
    public static List<Finding> Find(KeyTrace trace, long capacity, long windowNanos, out int fullest, out bool open)
    {
        var window = Tolerance.Shortest(windowNanos);
        var counts = SureCounts.In(trace.AdmittedTimes, window);
        fullest = counts.Length == 0 ? 0 : counts.Max();
        open = false;
        if (fullest > capacity)
            return Overfull(trace, capacity, windowNanos, counts);
        // Every single window fits, but they may not fit together.
        if (capacity == 0)
            return [];
        var fit = Seating.Try(trace.AdmittedTimes, (int)Math.Min(capacity, int.MaxValue), window, out var conflict);
        open = fit == Seating.Fit.Open;
        return fit == Seating.Fit.Not ? [Jammed(trace, capacity, windowNanos, conflict)] : [];
    }

    private static List<Finding> Overfull(KeyTrace trace, long capacity, long windowNanos, int[] counts)
    {
        var findings = new List<Finding>();
        for (var i = 0; i < counts.Length;)
        {
            if (counts[i] <= capacity)
            {
                i++;
                continue;
            }
            // One finding a window: the fullest that begins within a window of this one.
            var next = KeyTrace.BegunBy(trace.AdmittedTimes, trace.AdmittedTimes[i].From + windowNanos);
            var best = i;
            for (var j = i; j < next; j++)
                best = counts[j] > counts[best] ? j : best;
            findings.Add(Overfull(trace, capacity, windowNanos, best, counts[best]));
            i = Math.Max(next, KeyTrace.BegunBy(trace.AdmittedTimes, trace.AdmittedTimes[best].From + windowNanos));
        }
        return findings;
    }

    private static Finding Overfull(KeyTrace trace, long capacity, long windowNanos, int first, int count)
    {
        var until = trace.AdmittedTimes[first].From + Tolerance.Shortest(windowNanos);
        var inside = trace.Admitted.Skip(first).Where(o => o.AnsweredNanos < until).ToList();
        var time = new Bracket(trace.AdmittedTimes[first].From, inside.Max(static o => o.AnsweredNanos));
        var text = $"{count:N0} admitted within {Times.Format((time.To - time.From) / 1e9)}, where {capacity:N0} are allowed in {Times.Format(windowNanos / 1e9)}";
        return new Finding(Fault.OverAdmitted, trace.Name, time, text) { Excess = count - capacity, ByTarget = TargetCounts.Of(inside) };
    }

    private static Finding Jammed(KeyTrace trace, long capacity, long windowNanos, (Bracket Time, int Count) conflict)
    {
        var inside = trace.Admitted.Where(o => o.SentNanos >= conflict.Time.From && o.AnsweredNanos <= conflict.Time.To).ToList();
        var text = $"the {conflict.Count:N0} admitted cannot have been decided at any instants so that every {Times.Format(windowNanos / 1e9)} holds at most {capacity:N0}";
        return new Finding(Fault.OverAdmitted, trace.Name, conflict.Time, text) { ByTarget = TargetCounts.Of(inside) };
    }
}

/// <summary>Counts requests by target.</summary>
internal static class TargetCounts
{
    /// <summary>By index of the target, as far as the last that has any.</summary>
    public static long[] Of(IReadOnlyCollection<Observation> observations)
    {
        var counts = new long[observations.Count == 0 ? 0 : observations.Max(static o => o.Target) + 1];
        foreach (var observation in observations)
            counts[observation.Target]++;
        return counts;
    }
}
