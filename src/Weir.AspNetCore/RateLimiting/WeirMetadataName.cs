using System.Threading.RateLimiting;

namespace Weir.AspNetCore;

/// <summary>What leases of a <see cref="WeirRateLimiter"/> tell beside <see cref="MetadataName.RetryAfter"/> and <see cref="MetadataName.ReasonPhrase"/>.</summary>
public static class WeirMetadataName
{
    /// <summary>The limiter's whole answer, for headers and logs. Not there when the limiter was not asked.</summary>
    public static MetadataName<LimitResult> Result { get; } = MetadataName.Create<LimitResult>("WEIR_RESULT");
}
