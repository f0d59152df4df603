using Microsoft.AspNetCore.Http;

namespace Weir.AspNetCore;

/// <summary>The response headers of a decision, as nodes send them: of the limit that binds, in whole seconds rounded up.</summary>
internal static class LimitHeaders
{
    public static void Set(IHeaderDictionary headers, in LimitResult result, LimitHeaderKinds kinds)
    {
        if (result.Facts is not { } facts)
        {
            if (result.Outcome == Outcome.Refused)
                headers.RetryAfter = Seconds(result.RetryAfter).ToString();
            return;
        }
        var remaining = result.Remaining.ToString();
        var reset = Seconds(result.Reset).ToString();
        var until = result.Outcome == Outcome.Refused ? Seconds(result.RetryAfter).ToString() : reset;
        if (kinds.HasFlag(LimitHeaderKinds.XRateLimit))
        {
            headers["X-RateLimit-Limit"] = facts.LimitText;
            headers["X-RateLimit-Remaining"] = remaining;
            headers["X-RateLimit-Reset"] = reset;
        }
        if (kinds.HasFlag(LimitHeaderKinds.Standard))
        {
            headers["RateLimit-Policy"] = facts.Policy;
            headers["RateLimit"] = string.Concat([facts.QuotedName, ";r=", remaining, ";t=", until]);
        }
        if (result.Outcome == Outcome.Refused)
            headers.RetryAfter = until;
    }

    public static long Seconds(TimeSpan span) => (span.Ticks + TimeSpan.TicksPerSecond - 1) / TimeSpan.TicksPerSecond;
}
