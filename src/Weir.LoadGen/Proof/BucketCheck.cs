using Weir.LoadGen.Configuration;

namespace Weir.LoadGen.Proof;

/// <summary>Looks for more than a burst and what has come back since.</summary>
/// <remarks>
/// A token bucket is a queue: each admitted request occupies the time in which its tokens come back, one after the other, and none may wait for its turn longer
/// than the rest of the burst takes. So requests can have been admitted exactly if jobs of that length fit one after the other, each begun between the earliest
/// decision and the latest decision plus that wait.
/// </remarks>
internal static class BucketCheck
{
    /// <summary>What cannot have happened if admitted(s, t] ≤ burst + rate × (t − s).</summary>
    public static List<Finding> Find(KeyTrace trace, Promise promise, out bool open)
    {
        open = false;
        if (promise.Cost > promise.Burst || promise.Limit == 0)
            return trace.Admitted.Length == 0 ? [] : [Impossible(trace, promise)];
        var length = PermitsNanos(promise, promise.Cost);
        var wait = PermitsNanos(promise, promise.Burst - promise.Cost) + Tolerance.StampNanos + 1;
        var jobs = Array.ConvertAll(trace.AdmittedTimes, t => new Bracket(t.From, t.To + wait));
        var fit = Seating.Try(jobs, 1, length, out var conflict);
        open = fit == Seating.Fit.Open;
        return fit == Seating.Fit.Not ? [Describe(trace, promise, new Bracket(conflict.Time.From, conflict.Time.To - wait))] : [];
    }

    // The shortest time in which permits may come back, rounded down.
    private static long PermitsNanos(Promise promise, long permits) =>
        (long)((Int128)permits * (promise.WindowNanos - (promise.WindowNanos / Tolerance.Parts)) / promise.Limit);

    private static Finding Impossible(KeyTrace trace, Promise promise)
    {
        var time = new Bracket(trace.AdmittedTimes[0].From, trace.AdmittedTimes[^1].To);
        return new Finding(Fault.OverAdmitted, trace.Name, time, $"{trace.Admitted.Length:N0} admitted, where {promise} allows none")
        {
            Excess = trace.Admitted.Length,
            ByTarget = TargetCounts.Of(trace.Admitted),
        };
    }

    private static Finding Describe(KeyTrace trace, Promise promise, Bracket time)
    {
        var inside = trace.Admitted.Where(o => o.SentNanos >= time.From && o.AnsweredNanos <= time.To).ToList();
        var window = promise.WindowNanos - (promise.WindowNanos / Tolerance.Parts);
        var fits = (long)((((Int128)promise.Burst * window) + ((Int128)promise.Limit * (time.To - time.From))) / ((Int128)promise.Cost * window));
        var span = Times.Format((time.To - time.From) / 1e9);
        var text = inside.Count > fits
            ? $"{inside.Count:N0} admitted within {span}, where burst and rate allow {fits:N0}"
            : $"the {inside.Count:N0} admitted within {span} cannot have been decided at any instants so that burst and rate were kept";
        return new Finding(Fault.OverAdmitted, trace.Name, time, text) { Excess = Math.Max(1, inside.Count - fits), ByTarget = TargetCounts.Of(inside) };
    }
}
