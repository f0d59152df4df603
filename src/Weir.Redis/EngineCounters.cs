using System.Numerics;

namespace Weir.Redis;

/// <summary>What the shared engine counts besides degraded decisions.</summary>
public enum EngineCount
{
    /// <summary>Decisions that were sent to Redis; equal ones that were combined count each.</summary>
    Decisions,

    /// <summary>Batches of decisions: scripts that decided, whatever came of them.</summary>
    Batches,

    /// <summary>Scripts of all kinds, batches among them.</summary>
    Scripts,

    /// <summary>Bytes of the replies of batches.</summary>
    BytesReceived,

    /// <summary>Requests that were refused from the memory of an earlier refusal, without asking Redis.</summary>
    DenyCacheHits,

    /// <summary>Times that this node told a Redis that had lost data what it remembers.</summary>
    Resyncs,
}

/// <summary>
/// What the shared engine has counted since it was made. Each processor adds to a copy of its own, so that counting costs nanoseconds and no cache line
/// travels between cores; reading sums the copies.
/// </summary>
/// <remarks>Thread safe. One decision, of one charge or several, is degraded at most once.</remarks>
public sealed class EngineCounters
{
    private const int LongsPerCacheLine = 8;
    private const int MaxStripes = 64;
    private const int Counts = (int)EngineCount.Resyncs + 1;
    private const int Slots = Counts + (int)DegradedReason.QueueFull + 1;

    // A whole unused line between two stripes keeps them apart wherever the array happens to begin within a line.
    private const int Stride = ((Slots + LongsPerCacheLine - 1) / LongsPerCacheLine * LongsPerCacheLine) + LongsPerCacheLine;

    private static readonly int StripeMask = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Min(Environment.ProcessorCount, MaxStripes)) - 1;

    private readonly long[] _cells = new long[(Stride * (StripeMask + 1)) + LongsPerCacheLine];

    /// <summary>How often something happened, or how much of it there was.</summary>
    public long this[EngineCount what] => Sum((int)what);

    /// <summary>How many decisions a failure policy made, and why.</summary>
    public long this[DegradedReason why] => Sum(Counts + (int)why);

    internal void Add(EngineCount what, long amount = 1) => Interlocked.Add(ref Cell((int)what), amount);

    internal void AddDegraded(DegradedReason why) => Interlocked.Increment(ref Cell(Counts + (int)why));

    // A thread may move to another processor before it adds, which is why adding is interlocked.
    private ref long Cell(int slot) => ref _cells[LongsPerCacheLine + ((Thread.GetCurrentProcessorId() & StripeMask) * Stride) + slot];

    private long Sum(int slot)
    {
        var sum = 0L;
        for (var at = LongsPerCacheLine + slot; at < _cells.Length; at += Stride)
            sum += Volatile.Read(ref _cells[at]);
        return sum;
    }
}
