namespace Weir.Benchmarks.Contenders;

/// <summary>A limiter under test. Thread safe. Loops stand inside, so that a measured decision pays no virtual call for being measured.</summary>
internal abstract class Contender : IDisposable
{
    /// <summary>Asks one permit for each request.</summary>
    /// <returns>How many were allowed.</returns>
    public abstract long Decide(ReadOnlySpan<Request> requests);

    public virtual void Dispose()
    {
    }
}

/// <summary>A contender's name and how a fresh one is made.</summary>
internal sealed record Entrant(string Name, Func<Limit, Contender> Create)
{
    /// <summary>What the others are compared with.</summary>
    public static Entrant Baseline { get; } = new("BCL PartitionedRateLimiter, token bucket", static l => new PartitionedContender(l, timerPerKey: false));

    /// <summary>All, the baseline first.</summary>
    public static IReadOnlyList<Entrant> All { get; } =
    [
        Baseline,
        new("BCL PartitionedRateLimiter, AutoReplenishment per key", static l => new PartitionedContender(l, timerPerKey: true)),
        new("lock + Dictionary, token bucket", static l => new LockedContender(l)),
        new("Weir token-bucket", static l => new EngineContender(l, AlgorithmKind.TokenBucket)),
        new("Weir fixed-window", static l => new EngineContender(l, AlgorithmKind.FixedWindow)),
        new("Weir sliding-counter", static l => new EngineContender(l, AlgorithmKind.SlidingCounter)),
        new("Weir sliding-window (default)", static l => new EngineContender(l, AlgorithmKind.SlidingWindow)),
        new("Weir token-bucket, keys as strings", static l => new TranscodingContender(l, AlgorithmKind.TokenBucket)),
        new("Weir token-bucket, one clock reading per 100", static l => new BatchContender(l, AlgorithmKind.TokenBucket)),
        new("Weir sliding-window, one clock reading per 100", static l => new BatchContender(l, AlgorithmKind.SlidingWindow)),
    ];
}
