using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Weir;
using Weir.AspNetCore;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Weir's limits as policies of ASP.NET's rate-limiting middleware.</summary>
public static class WeirRateLimiterOptionsExtensions
{
    /// <summary>Adds a policy whose limit all instances of the application share.</summary>
    /// <param name="options">The middleware's options.</param>
    /// <param name="policyName">Name of the policy, for <c>RequireRateLimiting</c> and <c>EnableRateLimiting</c>.</param>
    /// <param name="key">Who shares the limit.</param>
    /// <param name="limit">Name of the limit in <see cref="WeirOptions.Limits"/>. Default: the policy's.</param>
    /// <param name="limiter">Queue and synchronous attempts; null for the defaults.</param>
    /// <returns>The same options.</returns>
    public static RateLimiterOptions AddWeirPolicy(
        this RateLimiterOptions options, string policyName, Func<HttpContext, string> key, string? limit = null, WeirRateLimiterOptions? limiter = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(policyName);
        ArgumentNullException.ThrowIfNull(key);
        return options.AddPolicy(policyName, context => WeirRateLimitPartition.Get(context, key(context), limit ?? policyName, limiter));
    }

    /// <summary>
    /// Answers refusals as <c>UseWeir</c> does: 429 (503 where a failure policy refused) with <c>Retry-After</c>, limit headers and problem+json. Without it the middleware
    /// answers with an empty <see cref="RateLimiterOptions.RejectionStatusCode"/>, which is 503 by default.
    /// </summary>
    /// <param name="options">The middleware's options.</param>
    /// <returns>The same options.</returns>
    public static RateLimiterOptions RejectWithWeir(this RateLimiterOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
        options.OnRejected = static (rejected, _) => new ValueTask(WriteAsync(rejected));
        return options;
    }

    private static Task WriteAsync(OnRejectedContext rejected)
    {
        var context = rejected.HttpContext;
        var weir = context.RequestServices.GetService<IOptions<WeirOptions>>()?.Value ?? new WeirOptions();
        // Limiters of .NET's own do not say more.
        if (!rejected.Lease.TryGetMetadata(WeirMetadataName.Result, out var result))
        {
            rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var retryAfter);
            result = new LimitResult { Outcome = Outcome.Refused, RetryAfter = retryAfter };
        }
        LimitHeaders.Set(context.Response.Headers, result, weir.Headers);
        return RefusalWriter.WriteAsync(context, result, weir.OnRefused);
    }
}
