using Microsoft.AspNetCore.Http;
using Weir.Server.Deciding;

namespace Weir.Server.Http;

/// <summary>
/// The response headers of a decision: the <c>X-RateLimit</c> trio, the IETF fields <c>RateLimit</c> and <c>RateLimit-Policy</c>, and <c>Retry-After</c>. All
/// speak of the rule that binds, in whole seconds rounded up.
/// </summary>
internal static class LimitHeaders
{
    public static void Set(IHeaderDictionary headers, in Decision decision)
    {
        if (decision.Rule is not { } rule)
            return;
        var facts = RuleFacts.Of(rule);
        var refused = !decision.IsAllowed;
        var remaining = decision.Remaining.ToString();
        var reset = Answer.Seconds(decision.ResetMicros).ToString();
        headers["X-RateLimit-Limit"] = facts.LimitText;
        headers["X-RateLimit-Remaining"] = remaining;
        headers["X-RateLimit-Reset"] = reset;
        headers["RateLimit-Policy"] = facts.Policy;
        // A refused caller is told when to come back, which is no later than Retry-After and often long before everything has come back.
        var until = refused && decision.Outcome == Outcome.Refused ? Answer.Seconds(decision.RetryAfterMicros).ToString() : reset;
        headers["RateLimit"] = string.Concat(facts.QuotedName, ";r=", remaining, string.Concat(";t=", until));
        if (decision.Outcome == Outcome.Refused)
            headers.RetryAfter = until;
    }
}
