using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Proof;

/// <summary>Looks for answers that promise more than can have been left after them.</summary>
internal static class RemainingCheck
{
    /// <summary>Answers whose <c>X-RateLimit-Remaining</c> is too high for sure. Where the limit in the same answer is another, remaining is not judged.</summary>
    public static IEnumerable<Finding> Find(KeyTrace trace, Promise promise) => promise.Algorithm switch
    {
        Algorithm.SlidingWindow => InWindow(trace, promise),
        Algorithm.TokenBucket when promise.Limit > 0 => InBucket(trace, promise),
        Algorithm.FixedWindow => Growing(trace, promise),
        _ => [],
    };

    private static IEnumerable<Finding> InWindow(KeyTrace trace, Promise promise)
    {
        var window = Tolerance.Shortest(promise.WindowNanos);
        foreach (var answer in Telling(trace, promise))
        {
            // Over before this one was sent, and sent after the last instant that may have passed out of the window.
            var taken = KeyTrace.UpTo(trace.AdmittedEnds, answer.SentNanos - 1) - KeyTrace.BegunBy(trace.AdmittedTimes, answer.AnsweredNanos - window);
            var left = Math.Max(0, promise.Limit - (promise.Cost * (Math.Max(0, taken) + Own(answer))));
            if (answer.Told.Remaining > left)
                yield return Describe(trace.Name, answer, left);
        }
    }

    // The emptiest the bucket can have been of missing tokens: everybody decided early, tokens coming back fast.
    private static IEnumerable<Finding> InBucket(KeyTrace trace, Promise promise)
    {
        var token = (double)Tolerance.Shortest(promise.WindowNanos) / promise.Limit;
        var takers = trace.AdmittedTimes.OrderBy(static t => t.To).ToArray();
        // In the order in which they were over, no later than any that was over afterwards.
        for (var i = takers.Length - 2; i >= 0; i--)
            takers[i] = takers[i] with { From = Math.Min(takers[i].From, takers[i + 1].From) };
        var fullAt = double.NegativeInfinity;
        var ended = 0;
        foreach (var answer in Telling(trace, promise))
        {
            for (; ended < takers.Length && takers[ended].To < answer.SentNanos; ended++)
                fullAt = Math.Max(fullAt, takers[ended].From) + (promise.Cost * token);
            var missing = (Math.Max(0, fullAt - answer.AnsweredNanos) / token) + (Own(answer) * promise.Cost);
            var left = Math.Max(0, (long)Math.Floor(promise.Burst - missing + 1e-6));
            if (answer.Told.Remaining > left)
                yield return Describe(trace.Name, answer, left);
        }
    }

    // Inside a window remaining only falls. Where it grew a window began, and two windows begin a window apart.
    private static IEnumerable<Finding> Growing(KeyTrace trace, Promise promise)
    {
        var window = Tolerance.Shortest(promise.WindowNanos);
        var latest = new Bracket(long.MinValue / 2, long.MinValue / 2);
        foreach (var (grown, answer, before) in Growths(trace, promise).OrderBy(static g => g.Time.To))
        {
            if (grown.From > latest.To && grown.To - latest.From < window)
            {
                yield return new Finding(Fault.WrongRemaining, trace.Name, grown,
                    $"X-RateLimit-Remaining grew from {before:N0} to {answer.Told.Remaining:N0} for the second time within one window")
                { ByTarget = TargetCounts.Of([answer]) };
            }
            if (grown.From > latest.From)
                latest = grown;
        }
    }

    private static IEnumerable<(Bracket Time, Observation Answer, int Before)> Growths(KeyTrace trace, Promise promise)
    {
        var answers = Telling(trace, promise).ToArray();
        var byEnd = answers.OrderBy(static a => a.AnsweredNanos).ToArray();
        var over = 0;
        foreach (var answer in answers)
        {
            while (over < byEnd.Length && byEnd[over].AnsweredNanos < answer.SentNanos)
                over++;
            if (over > 0 && byEnd[over - 1] is var before && answer.Told.Remaining > before.Told.Remaining)
                yield return (new Bracket(before.SentNanos, answer.AnsweredNanos), answer, before.Told.Remaining);
        }
    }

    private static IEnumerable<Observation> Telling(KeyTrace trace, Promise promise) => trace.All.Where(o =>
        o.Verdict is Verdict.Admitted or Verdict.Refused && o.Told.Remaining != Told.Unsaid
        && (o.Told.Limit == Told.Unsaid || HeaderCheck.IsLimit(o.Told.Limit, promise)));

    private static int Own(Observation answer) => answer.Verdict == Verdict.Admitted ? 1 : 0;

    private static Finding Describe(string key, Observation answer, long left) =>
        new(Fault.WrongRemaining, key, new Bracket(answer.SentNanos, answer.AnsweredNanos),
            $"X-RateLimit-Remaining says {answer.Told.Remaining:N0}, where at most {left:N0} can have been left")
        {
            ByTarget = TargetCounts.Of([answer]),
        };
}
