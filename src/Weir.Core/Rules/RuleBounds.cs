namespace Weir;

/// <summary>
/// The ranges that rules and costs must keep. They are chosen so that every intermediate of every algorithm fits 64-bit
/// integers in memory and 53-bit doubles in Lua: inside them overflow cannot happen.
/// </summary>
public static class RuleBounds
{
    /// <summary>Largest limit and burst of <c>token-bucket</c>: 1,000,000,000 permits.</summary>
    public const long MaxPermits = 1_000_000_000;

    /// <summary>Largest limit of <c>fixed-window</c>: 4,294,967,295 permits, what an unsigned 32-bit configuration can say.</summary>
    public const long MaxFixedWindowPermits = uint.MaxValue;

    /// <summary>Largest limit of <c>sliding-window</c>, which remembers every admitted request: 1,000,000 permits.</summary>
    public const long MaxSlidingWindowPermits = 1_000_000;

    /// <summary>Largest limit of <c>sliding-counter</c>: 16,000,000 permits.</summary>
    public const long MaxSlidingCounterPermits = 16_000_000;

    /// <summary>Largest limit of <c>concurrency</c>: 10,000 permits held at once.</summary>
    public const long MaxConcurrencyPermits = 10_000;

    /// <summary>Largest cost of one request: 1,000,000 permits.</summary>
    public const int MaxCost = 1_000_000;

    /// <summary>Longest window: 366 days, in microseconds.</summary>
    public const long MaxWindowMicros = 366L * 24 * 3600 * 1_000_000;

    /// <summary>Shortest window: 1 ms, in microseconds.</summary>
    public const long MinWindowMicros = 1_000;

    /// <summary>Shortest window of <c>sliding-counter</c>: 100 ms, in microseconds.</summary>
    public const long MinSlidingCounterWindowMicros = 100_000;

    /// <summary>
    /// Bound on burst × reduced window of a token bucket, 2^58: keeps the bucket's depth, twice over, inside the 62 bits of its state.
    /// Only limits that share few factors with a window of days or more can reach it.
    /// </summary>
    public const long MaxBucketDepth = 1L << 58;

    /// <summary>Longest time that a token bucket may take from empty to full, burst × window / limit: 366 days, in microseconds.</summary>
    public const long MaxFillMicros = MaxWindowMicros;

    /// <summary>Longest key of a request, in UTF-8 bytes: 512.</summary>
    public const int MaxKeyBytes = 512;

    /// <summary>The largest limit that <paramref name="algorithm"/> accepts.</summary>
    public static long MaxPermitsOf(AlgorithmKind algorithm) => algorithm switch
    {
        AlgorithmKind.TokenBucket => MaxPermits,
        AlgorithmKind.FixedWindow => MaxFixedWindowPermits,
        AlgorithmKind.SlidingCounter => MaxSlidingCounterPermits,
        AlgorithmKind.Concurrency => MaxConcurrencyPermits,
        _ => MaxSlidingWindowPermits,
    };
}
