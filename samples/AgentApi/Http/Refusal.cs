using Weir;
using Weir.AspNetCore;

namespace AgentApi.Http;

/// <summary>A request that a limit refuses, as nodes write it, and with who served it.</summary>
internal sealed record RefusalAnswer(string Type, string Title, int Status, string Detail, string? Limit, long? RetryAfterMs, string RequestId) : Answer
{
    private const string QuotaExceeded = "https://iana.org/assignments/http-problem-types#quota-exceeded";
    private const string ReducedCapacity = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";

    /// <summary>Says why. Status and headers are set already.</summary>
    public static RefusalAnswer Of(HttpContext context, LimitResult result)
    {
        var (status, id) = (context.Response.StatusCode, Http.RequestId.Of(context));
        var wait = (long)Math.Ceiling(result.RetryAfter.TotalMilliseconds);
        return result switch
        {
            { Source: DecisionSource.Degraded } => new RefusalAnswer(ReducedCapacity, "Request cannot be satisfied due to temporary server capacity constraints", status,
                "The rate limiter cannot decide at the moment, and requests are refused until it can. Try again soon.", result.Name, wait, id),
            { Outcome: Outcome.NeverFits } => new RefusalAnswer(QuotaExceeded, "Request cannot be satisfied as assigned quota has been exceeded", status,
                $"The request may cost more than the limit of {result.Limit} ({result.Name}) can ever give. Ask for less.", result.Name, null, id),
            _ => new RefusalAnswer(QuotaExceeded, "Request cannot be satisfied as assigned quota has been exceeded", status,
                $"The limit of {result.Limit} ({result.Name}) is reached. Try again in {(wait + 999) / 1_000} s.", result.Name, wait, id),
        };
    }
}
