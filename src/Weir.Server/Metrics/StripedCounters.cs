using System.Numerics;

namespace Weir.Server.Metrics;

/// <summary>
/// A few counters that many threads add to. Each processor adds to a copy of its own, so that no cache line travels between cores while
/// requests are decided; a reader sums the copies.
/// </summary>
/// <remarks>
/// Any thread may add and any may read. A thread can be moved to another processor between finding its copy and adding to it, so the
/// addition is interlocked: the sum is exact once the adders are done. A sum taken meanwhile lies between the totals at its start and end.
/// </remarks>
internal sealed class StripedCounters
{
    private const int LongsPerCacheLine = 8;
    private const int MaxStripes = 64;

    private static readonly int StripeMask = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Min(Environment.ProcessorCount, MaxStripes)) - 1;

    private readonly long[] _cells;
    private readonly int _stride;

    /// <summary>Makes <paramref name="slots"/> counters, numbered from 0, all at 0.</summary>
    public StripedCounters(int slots)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(slots);
        Slots = slots;
        // A whole unused line between two stripes keeps them apart wherever the array happens to begin within a line.
        _stride = ((slots + LongsPerCacheLine - 1) / LongsPerCacheLine * LongsPerCacheLine) + LongsPerCacheLine;
        _cells = new long[(_stride * (StripeMask + 1)) + LongsPerCacheLine];
    }

    /// <summary>How many counters there are.</summary>
    public int Slots { get; }

    /// <summary>Adds one to a counter.</summary>
    public void Increment(int slot) => Interlocked.Increment(ref Cell(slot));

    /// <summary>Adds to a counter.</summary>
    public void Add(int slot, long amount) => Interlocked.Add(ref Cell(slot), amount);

    /// <summary>Adds one to a counter and an amount to another, finding this processor's copy only once.</summary>
    public void IncrementAndAdd(int slot, int other, long amount)
    {
        var stripe = Stripe();
        Interlocked.Increment(ref _cells[stripe + slot]);
        Interlocked.Add(ref _cells[stripe + other], amount);
    }

    /// <summary>The total of a counter over all processors.</summary>
    public long Sum(int slot)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(slot);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(slot, Slots);
        var sum = 0L;
        for (var at = LongsPerCacheLine + slot; at < _cells.Length; at += _stride)
            sum += Volatile.Read(ref _cells[at]);
        return sum;
    }

    private int Stripe() => LongsPerCacheLine + ((Thread.GetCurrentProcessorId() & StripeMask) * _stride);

    private ref long Cell(int slot) => ref _cells[Stripe() + slot];
}
