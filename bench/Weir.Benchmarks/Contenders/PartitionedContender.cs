using System.Threading.RateLimiting;

namespace Weir.Benchmarks.Contenders;

/// <summary>
/// The limiter of .NET, one token bucket per key, used as frugally as its API allows: the factory is made once, because the ready-made
/// <c>RateLimitPartition.GetTokenBucketLimiter</c> makes a closure on every call.
/// </summary>
internal sealed class PartitionedContender : Contender
{
    private readonly PartitionedRateLimiter<string> _limiter;

    /// <param name="limit">The limit of every key.</param>
    /// <param name="timerPerKey">True: each bucket has a timer. False: the partitioned limiter refills all buckets in its heartbeat.</param>
    public PartitionedContender(Limit limit, bool timerPerKey)
    {
        var options = new TokenBucketRateLimiterOptions
        {
            TokenLimit = limit.Permits,
            TokensPerPeriod = limit.Permits,
            ReplenishmentPeriod = limit.Window,
            QueueLimit = 0,
            AutoReplenishment = timerPerKey,
        };
        Func<string, RateLimiter> factory = _ => new TokenBucketRateLimiter(options);
        _limiter = PartitionedRateLimiter.Create<string, string>(key => RateLimitPartition.Get(key, factory));
    }

    public override long Decide(ReadOnlySpan<Request> requests)
    {
        var allowed = 0L;
        foreach (ref readonly var request in requests)
        {
            using var lease = _limiter.AttemptAcquire(request.Key);
            allowed += lease.IsAcquired ? 1 : 0;
        }
        return allowed;
    }

    public override void Dispose()
    {
        _limiter.Dispose();
        base.Dispose();
    }
}
