using Weir.Redis;

namespace Weir.Server.Metrics;

/// <summary>Why a failure policy had to decide: label values of <c>ratelimiter_degraded_decisions_total</c>.</summary>
internal static class DegradedReasons
{
    /// <summary>The memory engine holds as many counters as it may.</summary>
    public const string CounterBound = "counter_bound";

    /// <summary>The reasons of the shared engine, each with its name.</summary>
    public static readonly (DegradedReason Reason, string Name)[] Shared =
    [
        (DegradedReason.Timeout, "redis_timeout"), (DegradedReason.Unavailable, "redis_unavailable"), (DegradedReason.Error, "redis_error"),
        (DegradedReason.Resync, "resync"), (DegradedReason.QueueFull, "queue_full"),
    ];
}

/// <summary>Why a request was turned away: label values of <c>ratelimiter_http_requests_rejected_total</c>.</summary>
internal static class RejectReasons
{
    /// <summary>400: a field is missing, unknown or out of range.</summary>
    public const string BadRequest = "bad_request";

    /// <summary>401: the admin token is missing or wrong.</summary>
    public const string Unauthorized = "unauthorized";

    /// <summary>404: no such path.</summary>
    public const string NotFound = "not_found";

    /// <summary>405: the path does not take the method.</summary>
    public const string MethodNotAllowed = "method_not_allowed";

    /// <summary>413: the body is too large.</summary>
    public const string TooLarge = "too_large";

    /// <summary>503: it needs Redis, which cannot be asked, or room that there is not.</summary>
    public const string Unavailable = "unavailable";

    /// <summary>Every reason.</summary>
    public static ReadOnlySpan<string> All => new[] { BadRequest, Unauthorized, NotFound, MethodNotAllowed, TooLarge, Unavailable };
}
