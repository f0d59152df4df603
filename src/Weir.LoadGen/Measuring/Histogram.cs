using System.Numerics;

namespace Weir.LoadGen.Measuring;

/// <summary>
/// Counts durations in buckets whose width grows with the value: every power of two is cut into 128 equal parts. Memory is constant, whatever is recorded.
/// </summary>
/// <remarks>
/// <para>Error: a quantile is never below the exact one and at most 1/128 (0.79 %) above it; values below 256 ns, the greatest and the least are exact.
/// Values beyond the range (about 4.9 hours) count as its end.</para>
/// <para>Threads: any number may record at the same time, and read meanwhile; a reader sees some recent state of each bucket. The layout is the same for all
/// histograms, so that they can be added and subtracted bucket by bucket.</para>
/// </remarks>
internal sealed class Histogram
{
    /// <summary>Buckets of every histogram.</summary>
    public const int BucketCount = (MaxExponent - PartBits + 2) << PartBits;

    private const int PartBits = 7;
    private const int MaxExponent = 43;
    private const long MaxNanos = (1L << (MaxExponent + 1)) - 1;

    private readonly long[] _buckets = new long[BucketCount];
    private long _greatest;
    private long _sum;
    private long _least = long.MaxValue;

    /// <summary>Durations recorded.</summary>
    public long Count
    {
        get
        {
            long count = 0;
            for (var i = 0; i < _buckets.Length; i++)
                count += Volatile.Read(ref _buckets[i]);
            return count;
        }
    }

    /// <summary>The greatest duration, exact, in nanoseconds; 0 when there is none.</summary>
    public long Greatest => Volatile.Read(ref _greatest);

    /// <summary>The least duration, exact, in nanoseconds; 0 when there is none.</summary>
    public long Least => Volatile.Read(ref _least) is var least && least == long.MaxValue ? 0 : least;

    /// <summary>The mean in nanoseconds, exact; 0 when there is none.</summary>
    public double Mean => Count is var count && count == 0 ? 0 : (double)Interlocked.Read(ref _sum) / count;

    /// <summary>Counts a duration. Negative ones count as 0.</summary>
    public void Record(long nanos)
    {
        nanos = Math.Clamp(nanos, 0, MaxNanos);
        Interlocked.Increment(ref _buckets[IndexOf(nanos)]);
        Interlocked.Add(ref _sum, nanos);
        Raise(nanos);
        Lower(nanos);
    }

    /// <summary>Counts all that another has counted.</summary>
    public void Add(Histogram other)
    {
        for (var i = 0; i < _buckets.Length; i++)
        {
            if (Volatile.Read(ref other._buckets[i]) is var count and not 0)
                Interlocked.Add(ref _buckets[i], count);
        }
        Interlocked.Add(ref _sum, Interlocked.Read(ref other._sum));
        Raise(other.Greatest);
        Lower(Volatile.Read(ref other._least));
    }

    /// <summary>Adds every bucket's count to an array of <see cref="BucketCount"/> places.</summary>
    public void AddTo(long[] counts)
    {
        for (var i = 0; i < _buckets.Length; i++)
            counts[i] += Volatile.Read(ref _buckets[i]);
    }

    /// <summary>The duration that a share of all durations do not exceed.</summary>
    /// <param name="share">0 to 1, such as 0.99.</param>
    /// <returns>Nanoseconds; 0 when nothing was recorded.</returns>
    public long Quantile(double share)
    {
        var counts = new long[BucketCount];
        AddTo(counts);
        return Math.Clamp(Quantile(counts, share), Least, Greatest);
    }

    /// <summary>The same over counts that were taken with <see cref="AddTo"/>, or over the difference of two such.</summary>
    public static long Quantile(ReadOnlySpan<long> counts, double share)
    {
        long total = 0;
        foreach (var count in counts)
            total += count;
        if (total == 0)
            return 0;
        // The product of fractions may lie a hair above the whole number that is meant.
        var rank = Math.Max(1, (long)Math.Ceiling((share * total) - 1e-6));
        var index = 0;
        for (var seen = counts[0]; seen < rank; seen += counts[index])
            index++;
        return HighestOf(index);
    }

    /// <summary>The greatest duration that falls into a bucket, in nanoseconds.</summary>
    public static long HighestOf(int index) => LowestOf(index + 1) - 1;

    /// <summary>The least duration that falls into a bucket, in nanoseconds.</summary>
    public static long LowestOf(int index)
    {
        var exponent = (index >> PartBits) - 1;
        var part = (long)index & ((1 << PartBits) - 1);
        return exponent < 0 ? part : (part + (1L << PartBits)) << exponent;
    }

    // Below 2^7 a value is its own bucket; above, the highest eight bits choose it.
    private static int IndexOf(long nanos)
    {
        var exponent = BitOperations.Log2((ulong)nanos | 1) - PartBits;
        return exponent < 0 ? (int)nanos : ((exponent + 1) << PartBits) + (int)((nanos >> exponent) & ((1 << PartBits) - 1));
    }

    private void Raise(long nanos)
    {
        for (var seen = Volatile.Read(ref _greatest); nanos > seen;)
            seen = Interlocked.CompareExchange(ref _greatest, nanos, seen) is var found && found == seen ? nanos : found;
    }

    private void Lower(long nanos)
    {
        for (var seen = Volatile.Read(ref _least); nanos < seen;)
            seen = Interlocked.CompareExchange(ref _least, nanos, seen) is var found && found == seen ? nanos : found;
    }
}
