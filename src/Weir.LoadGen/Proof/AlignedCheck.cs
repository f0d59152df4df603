using Weir.LoadGen.Configuration;

namespace Weir.LoadGen.Proof;

/// <summary>Looks for more than the limit in an aligned window, without knowing where the server's windows begin.</summary>
/// <remarks>
/// <para>A fault is claimed when no alignment explains what was admitted: whatever more than a limit's worth of requests lies within less than a window must have a
/// boundary inside, and all those boundaries must be whole windows apart. Where a few alignments remain, each is tried: requests are given to windows, most
/// urgent first, which fits if anything fits.</para>
/// <para>Clocks drift, so long runs are looked at in pieces of <see cref="PieceWindows"/> windows that overlap by one, and every bracket is widened by what the
/// clocks may drift apart in a piece.</para>
/// </remarks>
internal static class AlignedCheck
{
    /// <summary>Windows that are looked at together.</summary>
    public const int PieceWindows = 16;

    private const int MostTries = 2_000;

    /// <summary>What cannot have happened if at most <paramref name="capacity"/> requests were admitted in each aligned window.</summary>
    /// <param name="trace">The key.</param>
    /// <param name="capacity">Requests.</param>
    /// <param name="windowNanos">The window as promised.</param>
    /// <param name="boundary">Where, on the run's clock, a boundary may be; null for anywhere.</param>
    /// <param name="open">Whether the question was too hard to answer; nothing is claimed then.</param>
    public static List<Finding> Find(KeyTrace trace, long capacity, long windowNanos, Bracket? boundary, out bool open)
    {
        // What fits every sliding window fits every alignment.
        if (WindowCheck.Find(trace, capacity, windowNanos, out _, out open).Count == 0 && !open)
            return [];
        open = false;
        var findings = new List<Finding>();
        var times = trace.AdmittedTimes;
        for (var first = 0; first < times.Length;)
        {
            var start = times[first].From;
            var end = KeyTrace.BegunBy(times, start + (PieceWindows * windowNanos));
            var piece = trace.Admitted[first..end];
            var aligned = IsExplained(piece, capacity, windowNanos, boundary);
            open |= aligned is null;
            if (aligned == false)
                findings.Add(Describe(trace.Name, piece, capacity, windowNanos));
            first = end == times.Length ? end : Math.Max(first + 1, KeyTrace.BegunBy(times, start + ((PieceWindows - 1) * windowNanos)));
        }
        return findings;
    }

    // Null when there are too many alignments to try.
    private static bool? IsExplained(Observation[] piece, long capacity, long windowNanos, Bracket? boundary)
    {
        var drift = (PieceWindows * windowNanos / Tolerance.Parts) + Tolerance.StampNanos;
        var times = Array.ConvertAll(piece, o => new Bracket(o.SentNanos - drift, o.AnsweredNanos + drift));
        if (capacity == 0)
            return piece.Length == 0;
        var alignments = new Alignments(windowNanos);
        if (boundary is { } known)
            alignments.Keep(known);
        foreach (var must in MustHoldBoundary(times, (int)Math.Min(int.MaxValue - 1, capacity), windowNanos).OrderBy(static b => b.To - b.From))
            alignments.Keep(must);
        var tries = 0;
        foreach (var offset in alignments.Different(times))
        {
            if (Fits(times, capacity, windowNanos, offset))
                return true;
            if (++tries == MostTries)
                return null;
        }
        return false;
    }

    // For each request the smallest interval from its sending that surely holds more than the capacity, where that is shorter than a window.
    private static IEnumerable<Bracket> MustHoldBoundary(Bracket[] times, int capacity, long windowNanos)
    {
        var ends = Array.ConvertAll(times, static t => t.To);
        Array.Sort(ends);
        var seen = new RankTree(times.Length);
        for (var i = times.Length - 1; i >= 0; i--)
        {
            seen.Add(KeyTrace.UpTo(ends, times[i].To - 1));
            var rank = seen.RankOf(capacity + 1);
            // A boundary belongs to the window that it begins.
            if (rank >= 0 && ends[rank] - times[i].From < windowNanos)
                yield return new Bracket(times[i].From + 1, ends[rank]);
        }
    }

    private static bool Fits(Bracket[] times, long capacity, long windowNanos, long offset)
    {
        var waiting = new PriorityQueue<long, long>();
        var next = 0;
        var window = long.MinValue;
        while (next < times.Length || waiting.Count > 0)
        {
            window = waiting.Count > 0 ? window + 1 : WindowOf(times[next].From, windowNanos, offset);
            for (; next < times.Length && WindowOf(times[next].From, windowNanos, offset) <= window; next++)
                waiting.Enqueue(0, WindowOf(times[next].To, windowNanos, offset));
            for (var seated = 0L; seated < capacity && waiting.TryDequeue(out _, out var last); seated++)
            {
                if (last < window)
                    return false;
            }
        }
        return true;
    }

    // Division that rounds down, also below 0.
    private static long WindowOf(long nanos, long windowNanos, long offset)
    {
        var (window, rest) = Math.DivRem(nanos - offset, windowNanos);
        return rest < 0 ? window - 1 : window;
    }

    private static Finding Describe(string key, Observation[] piece, long capacity, long windowNanos)
    {
        var time = new Bracket(piece[0].SentNanos, piece.Max(static o => o.AnsweredNanos));
        var text = $"{piece.Length:N0} admitted within {Times.Format((time.To - time.From) / 1e9)}: "
            + $"wherever windows of {Times.Format(windowNanos / 1e9)} begin, one of them holds more than {capacity:N0}";
        return new Finding(Fault.OverAdmitted, key, time, text) { ByTarget = TargetCounts.Of(piece) };
    }
}
