using Microsoft.AspNetCore.Http;

namespace Weir.AspNetCore;

/// <summary>What was decided about a request, and what it really costs. On <c>HttpContext.Features</c> of requests to which a limit with
/// <see cref="LimitOptions.Reserve"/> or of <see cref="AlgorithmKind.Concurrency"/> applies.</summary>
public interface ILimitFeature
{
    /// <summary>What was decided.</summary>
    LimitResult Result { get; }

    /// <summary>Says what the request really cost, such as tokens that a language model used. Corrected when the request ends; the last word counts.</summary>
    /// <param name="cost">0 to 1,000,000.</param>
    /// <exception cref="ArgumentOutOfRangeException">The cost is out of its range.</exception>
    void SetCost(int cost);
}

/// <summary>Shorter ways to <see cref="ILimitFeature"/>.</summary>
public static class LimitHttpContextExtensions
{
    /// <summary>Says what the request really cost, where a limit with <see cref="LimitOptions.Reserve"/> applies; otherwise does nothing.</summary>
    /// <param name="context">The request.</param>
    /// <param name="cost">0 to 1,000,000.</param>
    /// <returns>Whether such a limit applies.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The cost is out of its range.</exception>
    public static bool SetLimitCost(this HttpContext context, int cost)
    {
        ArgumentNullException.ThrowIfNull(context);
        var feature = context.Features.Get<ILimitFeature>();
        feature?.SetCost(cost);
        return feature is not null;
    }
}
