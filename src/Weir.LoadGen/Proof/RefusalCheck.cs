using Weir.LoadGen.Configuration;

namespace Weir.LoadGen.Proof;

/// <summary>Looks for refusals although there was room, counting everything that may have been admitted in time as admitted.</summary>
/// <remarks>
/// A refusal is called wrong only if there was room at every instant between its sending and its answer, whatever the others' instants were, and with every
/// request of unknown end counted as admitted. What was taken before the run is unknown where keys are not of this run alone: a window has to pass before
/// refusals are judged, and a token bucket counts as empty at the start.
/// </remarks>
internal static class RefusalCheck
{
    /// <summary>The refusals that were wrong for sure.</summary>
    public static List<Finding> Find(KeyTrace trace, Promise promise) => promise switch
    {
        _ when promise.Capacity == 0 => [],
        { Algorithm: Algorithm.TokenBucket } => FindInBucket(trace, promise),
        // A fixed window that holds an instant begins at most a window earlier; the two windows of a counter at most two.
        { Algorithm: Algorithm.SlidingCounter } => FindInWindow(trace, promise, 2 * promise.WindowNanos),
        _ => FindInWindow(trace, promise, promise.WindowNanos),
    };

    private static List<Finding> FindInWindow(KeyTrace trace, Promise promise, long reachNanos)
    {
        var reach = Tolerance.Longest(reachNanos);
        var findings = new List<Finding>();
        foreach (var refused in trace.Refused)
        {
            if (!trace.IsFresh && refused.SentNanos <= reach)
                continue;
            var most = MostTaken(trace, refused, reach);
            if (most < promise.Capacity)
                findings.Add(Describe(trace.Name, refused, $"at most {most * promise.Cost:N0} of {promise.Limit:N0} can have been taken in the {Times.Format(reachNanos / 1e9)} before"));
        }
        return findings;
    }

    // The count changes upwards only where another request may have been decided, so those instants are enough.
    private static int MostTaken(KeyTrace trace, Observation refused, long reach)
    {
        var begun = KeyTrace.BegunBy(trace.PossibleTimes, refused.SentNanos);
        var most = begun - KeyTrace.UpTo(trace.PossibleEnds, refused.SentNanos - reach);
        for (; begun < trace.PossibleTimes.Length && trace.PossibleTimes[begun].From is var at && at <= refused.AnsweredNanos; begun++)
            most = Math.Max(most, begun + 1 - KeyTrace.UpTo(trace.PossibleEnds, at - reach));
        return most;
    }

    // The fullest the bucket can have been: everybody decided as late as possible, tokens coming back as slowly as possible.
    private static List<Finding> FindInBucket(KeyTrace trace, Promise promise)
    {
        if (promise.Limit == 0)
            return [];
        var token = (double)Tolerance.Longest(promise.WindowNanos) / promise.Limit;
        var findings = new List<Finding>();
        var fullAt = trace.IsFresh ? double.NegativeInfinity : promise.Burst * token;
        var ended = 0;
        foreach (var refused in trace.Refused)
        {
            for (; ended < trace.PossibleEnds.Length && trace.PossibleEnds[ended] <= refused.SentNanos; ended++)
                fullAt = Math.Max(fullAt, trace.PossibleEnds[ended]) + (promise.Cost * token);
            var underway = KeyTrace.BegunBy(trace.PossibleTimes, refused.AnsweredNanos) - ended;
            var taken = (Math.Max(0, fullAt - refused.SentNanos) / token) + (underway * promise.Cost);
            if (taken + promise.Cost <= promise.Burst - 1e-6)
                findings.Add(Describe(trace.Name, refused, $"at most {taken:N1} of {promise.Burst:N0} tokens can have been missing"));
        }
        return findings;
    }

    private static Finding Describe(string key, Observation refused, string reason) =>
        new(Fault.WronglyRefused, key, new Bracket(refused.SentNanos, refused.AnsweredNanos), $"refused although {reason}") { ByTarget = TargetCounts.Of([refused]) };
}
