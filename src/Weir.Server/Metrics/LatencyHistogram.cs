using System.Numerics;

namespace Weir.Server.Metrics;

/// <summary>
/// Counts durations in buckets whose bounds are powers of two of the clock's ticks, from about half a microsecond to about four seconds.
/// Finding the bucket is one count of leading zeros, so recording costs nanoseconds and allocates nothing.
/// </summary>
/// <remarks>
/// Any thread may record and any may read. A quantile read from the buckets is at most a factor of two off; sum and count are exact.
/// </remarks>
internal sealed class LatencyHistogram
{
    private const double SmallestSeconds = 0.5e-6;
    private const double LargestSeconds = 4;

    private readonly TimeProvider _time;
    private readonly int _firstExponent;
    private readonly StripedCounters _cells;
    private readonly int _sumSlot;

    /// <summary>An empty histogram over the ticks of a clock.</summary>
    public LatencyHistogram(TimeProvider time)
    {
        _time = time;
        _firstExponent = ExponentNear(SmallestSeconds, time.TimestampFrequency);
        Bounds = new double[ExponentNear(LargestSeconds, time.TimestampFrequency) - _firstExponent + 1];
        for (var i = 0; i < Bounds.Length; i++)
            Bounds[i] = Math.ScaleB(1, _firstExponent + i) / time.TimestampFrequency;
        _sumSlot = Bounds.Length + 1;
        _cells = new StripedCounters(_sumSlot + 1);
    }

    /// <summary>Upper bounds of the buckets in seconds, inclusive and ascending. One more bucket holds what exceeds the last.</summary>
    public double[] Bounds { get; }

    /// <summary>Records the time from a timestamp of the clock until now.</summary>
    public void RecordSince(long startTimestamp) => RecordTicks(_time.GetTimestamp() - startTimestamp);

    /// <summary>Records a duration in ticks of the clock; a negative one counts as 0.</summary>
    public void RecordTicks(long ticks)
    {
        ticks = Math.Max(0, ticks);
        _cells.IncrementAndAdd(BucketOf(ticks), _sumSlot, ticks);
    }

    /// <summary>Copies how many durations each bucket holds, the one past the last bound included.</summary>
    /// <param name="counts">One longer than <see cref="Bounds"/>.</param>
    /// <returns>The sum of all durations, in seconds.</returns>
    public double Read(Span<long> counts)
    {
        for (var i = 0; i <= Bounds.Length; i++)
            counts[i] = _cells.Sum(i);
        return (double)_cells.Sum(_sumSlot) / _time.TimestampFrequency;
    }

    // The bound 2^e belongs to its own bucket, as Prometheus' "le" says, so one tick is taken off before the bits are counted.
    private int BucketOf(long ticks)
    {
        var bits = 64 - BitOperations.LeadingZeroCount((ulong)Math.Max(0, ticks - 1));
        return Math.Clamp(bits - _firstExponent, 0, Bounds.Length);
    }

    private static int ExponentNear(double seconds, long frequency) => Math.Max(0, (int)Math.Round(Math.Log2(seconds * frequency)));
}
