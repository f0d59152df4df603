using Microsoft.AspNetCore.Http;

namespace Weir.AspNetCore;

/// <summary>What an application says about one of its limits. Checked at start; see <see cref="WeirOptions.Limits"/>.</summary>
public sealed class LimitOptions
{
    /// <summary>Permits per window, or held at once for <see cref="AlgorithmKind.Concurrency"/>.</summary>
    /// <value>0 (refuse everything) to what the algorithm can hold, see <see cref="RuleBounds.MaxPermitsOf"/>. Default 100.</value>
    public long Permits { get; set; } = 100;

    /// <summary>Length of the window; for <see cref="AlgorithmKind.Concurrency"/> the time after which a lease of a process that died ends.</summary>
    /// <value>1 ms to 366 days, in whole milliseconds. Default 1 minute.</value>
    public TimeSpan Window { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How to count.</summary>
    /// <value>Default <see cref="AlgorithmKind.SlidingWindow"/>: at most <see cref="Permits"/> in every interval of length <see cref="Window"/>.</value>
    public AlgorithmKind Algorithm { get; set; } = AlgorithmKind.SlidingWindow;

    /// <summary>Permits that may be taken at once after a quiet period.</summary>
    /// <value>1 to 1,000,000,000. Default: <see cref="Permits"/>.</value>
    /// <remarks>For <see cref="AlgorithmKind.TokenBucket"/> only.</remarks>
    public long? Burst { get; set; }

    /// <summary>What to answer when nobody can decide.</summary>
    /// <value>Default: <see cref="WeirOptions.Failure"/>.</value>
    public FailurePolicy? Failure { get; set; }

    /// <summary>Decide and count, but never refuse.</summary>
    public bool Shadow { get; set; }

    /// <summary>
    /// The nodes' own rules decide: the descriptor (name of the limit, key) is matched in the domain <see cref="WeirOptions.Domain"/>. The numbers here are
    /// ignored then. For <c>UseNodes</c> only.
    /// </summary>
    public bool FromNode { get; set; }

    /// <summary>Applies to every request, not only to endpoints that name it.</summary>
    public bool Global { get; set; }

    /// <summary>Who shares the limit.</summary>
    /// <value>Default <see cref="LimitBy.Address"/>.</value>
    /// <remarks>Ignored when <see cref="Key"/> is set.</remarks>
    public LimitBy By { get; set; }

    /// <summary>Names who shares the limit. Returning null exempts the request. Keys of more than 512 bytes are replaced by their hash.</summary>
    /// <value>Default none: <see cref="By"/> says.</value>
    public Func<HttpContext, string?>? Key { get; set; }

    /// <summary>Permits that one request takes.</summary>
    /// <value>0 to 1,000,000. Default 1.</value>
    public int Cost { get; set; } = 1;

    /// <summary>Says what a request costs, instead of <see cref="Cost"/>. Values outside 0 to 1,000,000 are brought to the nearer end.</summary>
    public Func<HttpContext, int>? CostOf { get; set; }

    /// <summary>
    /// The cost is an estimate: it is reserved before the request and corrected afterwards to what <see cref="ILimitFeature.SetCost"/> was told. Without being
    /// told, the estimate stays.
    /// </summary>
    public bool Reserve { get; set; }
}
