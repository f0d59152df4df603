namespace Weir.LoadGen.Proof;

/// <summary>What was observed of one key, sorted for the checks. Immutable.</summary>
internal sealed class KeyTrace
{
    /// <param name="name">The key.</param>
    /// <param name="isFresh">Whether nobody can have used the key before the run.</param>
    /// <param name="observations">In the order of sending.</param>
    public KeyTrace(string name, bool isFresh, Observation[] observations)
    {
        (Name, IsFresh, All) = (name, isFresh, observations);
        Admitted = [.. observations.Where(static o => o.Verdict == Verdict.Admitted)];
        AdmittedTimes = [.. Admitted.Select(static o => new Bracket(o.SentNanos, o.AnsweredNanos))];
        Refused = [.. observations.Where(static o => o.Verdict == Verdict.Refused)];
        PossibleTimes = [.. observations.Where(static o => o.Verdict != Verdict.Refused).Select(static o => new Bracket(o.SentNanos, o.AnsweredNanos))];
        PossibleEnds = Sorted(PossibleTimes);
        AdmittedEnds = Sorted(AdmittedTimes);
    }

    public string Name { get; }

    public bool IsFresh { get; }

    public Observation[] All { get; }

    public Observation[] Admitted { get; }

    public Observation[] Refused { get; }

    /// <summary>When the admitted ones were decided, in the order of sending.</summary>
    public Bracket[] AdmittedTimes { get; }

    /// <summary>The ends of <see cref="AdmittedTimes"/>, sorted.</summary>
    public long[] AdmittedEnds { get; }

    /// <summary>When permits may have been taken: the admitted ones and those of which nobody knows, in the order of sending.</summary>
    public Bracket[] PossibleTimes { get; }

    /// <summary>The ends of <see cref="PossibleTimes"/>, sorted.</summary>
    public long[] PossibleEnds { get; }

    /// <summary>The same key as if only some of its requests had been observed.</summary>
    public KeyTrace Of(Func<Observation, bool> which) => new(Name, IsFresh, [.. All.Where(which)]);

    /// <summary>How many brackets, sorted by their beginning, begin at an instant or before.</summary>
    public static int BegunBy(Bracket[] times, long nanos)
    {
        var (low, high) = (0, times.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (times[middle].From <= nanos)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    /// <summary>How many sorted instants lie at one or before it.</summary>
    public static int UpTo(long[] sorted, long nanos)
    {
        var (low, high) = (0, sorted.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (sorted[middle] <= nanos)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    private static long[] Sorted(Bracket[] times)
    {
        var ends = Array.ConvertAll(times, static t => t.To);
        Array.Sort(ends);
        return ends;
    }
}
