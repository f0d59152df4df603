using System.Threading.RateLimiting;

namespace Weir.AspNetCore;

/// <summary>How a <see cref="WeirRateLimiter"/> behaves beside its limit. Read once, when the limiter is made.</summary>
public sealed class WeirRateLimiterOptions
{
    /// <summary>Requests that may wait in <see cref="RateLimiter.AcquireAsync"/> for a permit, oldest first, in this process and for this key.</summary>
    /// <value>0 (never wait) to 1,000,000. Default 0.</value>
    public int QueueLimit { get; set; }

    /// <summary>Longest time that a request may wait in the queue. If it is known to take longer the refusal comes at once.</summary>
    /// <value>1 ms to 1 day. Default 1 minute.</value>
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Let <see cref="RateLimiter.AttemptAcquire"/> ask over the network and hold the calling thread until the answer. By default it asks only where no network is
    /// needed (<c>UseMemory</c>), and otherwise refuses without asking, so that the caller goes on to <see cref="RateLimiter.AcquireAsync"/>.
    /// </summary>
    /// <value>Default false. ASP.NET's rate-limiting middleware tries both, in this order, and needs no more.</value>
    public bool AttemptBlocks { get; set; }

    internal void Validate()
    {
#pragma warning disable MA0015 // What is named is the option that the caller set.
        ArgumentOutOfRangeException.ThrowIfNegative(QueueLimit);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(QueueLimit, 1_000_000);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxWait, TimeSpan.FromMilliseconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxWait, TimeSpan.FromDays(1));
#pragma warning restore MA0015
    }
}
