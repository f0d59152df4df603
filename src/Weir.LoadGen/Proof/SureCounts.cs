namespace Weir.LoadGen.Proof;

/// <summary>Counts how many requests were decided within one window for sure, wherever in their brackets they were decided.</summary>
internal static class SureCounts
{
    /// <summary>For each request, how many lie wholly between its sending and a window later.</summary>
    /// <param name="times">In the order of sending.</param>
    /// <param name="windowNanos">Two instants exactly this far apart are in different windows.</param>
    public static int[] In(Bracket[] times, long windowNanos)
    {
        var ends = Array.ConvertAll(times, static t => t.To);
        Array.Sort(ends);
        var counts = new int[times.Length];
        var seen = new RankTree(times.Length);
        // From the last to the first, so that all that were sent later are in the tree.
        for (var i = times.Length - 1; i >= 0; i--)
        {
            seen.Add(KeyTrace.UpTo(ends, times[i].To - 1));
            counts[i] = seen.CountBelow(KeyTrace.UpTo(ends, times[i].From + windowNanos - 1));
        }
        return counts;
    }
}

/// <summary>Counts ranks, in logarithmic time (a Fenwick tree).</summary>
internal sealed class RankTree(int ranks)
{
    private readonly int[] _sums = new int[ranks + 1];

    /// <summary>Counts a rank, from 0.</summary>
    public void Add(int rank)
    {
        for (var i = rank + 1; i < _sums.Length; i += i & -i)
            _sums[i]++;
    }

    /// <summary>How many were counted that are below a rank.</summary>
    public int CountBelow(int rank)
    {
        var count = 0;
        for (var i = rank; i > 0; i -= i & -i)
            count += _sums[i];
        return count;
    }

    /// <summary>The rank of the n-th counted, from 1; -1 when fewer were counted.</summary>
    public int RankOf(int n)
    {
        if (CountBelow(_sums.Length - 1) < n)
            return -1;
        var position = 0;
        for (var step = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)_sums.Length); step > 0; step /= 2)
        {
            if (position + step < _sums.Length && _sums[position + step] < n)
                n -= _sums[position += step];
        }
        return position;
    }
}
