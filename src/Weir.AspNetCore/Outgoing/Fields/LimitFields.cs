using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Weir.AspNetCore.Waiting;

namespace Weir.AspNetCore.Outgoing.Fields;

/// <summary>
/// Reads what an answer says about limits. Of fields that say the same the newer standard counts: <c>RateLimit</c>, then
/// <c>RateLimit-Remaining</c> and <c>-Reset</c>, then <c>X-RateLimit-Remaining</c> and <c>-Reset</c>. <c>Retry-After</c> on 429 and 503
/// stands above all.
/// </summary>
/// <remarks>Never throws. What cannot be understood is as if it were not there.</remarks>
internal static class LimitFields
{
    // Smaller numbers are seconds from now; 10^9 s are 31 years. Larger ones are seconds, and from 10^11 milliseconds, since 1970.
    private const double SmallestEpochSeconds = 1e9;
    private const double SmallestEpochMillis = 1e11;

    /// <param name="response">An answer, of which only status and headers are looked at.</param>
    /// <param name="now">The time of day, for dates, where the answer itself does not say when it was made.</param>
    public static LimitHint Read(HttpResponseMessage response, DateTimeOffset now)
    {
        var headers = response.Headers.NonValidated;
        // Dates are by the clock of who wrote them, which need not be ours.
        var written = TryDate(Join(headers, "Date"), out var date) ? date : now;
        var limit = Limit(headers, written);
        var reset = ToDuration(limit?.ResetSeconds);
        TimeSpan? closed = null;
        if (IsRefusal(response))
            closed = RetryAfter(Join(headers, "Retry-After"), written);
        if (closed is null && limit is { } known && reset is not null)
        {
            var exhausted = known.Remaining == 0 || (known.Remaining is null && response.StatusCode == HttpStatusCode.TooManyRequests);
            closed = exhausted ? reset : null;
        }
        return new LimitHint(closed, limit?.Remaining, reset);
    }

    /// <summary>The statuses with which servers refuse for now: 429 and 503.</summary>
    public static bool IsRefusal(HttpResponseMessage response) =>
        response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable;

    private static BindingLimit? Limit(HttpHeadersNonValidated headers, DateTimeOffset written) =>
        RateLimitFields.Read(Join(headers, "RateLimit"), Join(headers, "RateLimit-Policy"))
        ?? Trio(headers, "RateLimit-Remaining", "RateLimit-Reset", written)
        ?? Trio(headers, "X-RateLimit-Remaining", "X-RateLimit-Reset", written)
        ?? Trio(headers, "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset", written);

    private static BindingLimit? Trio(HttpHeadersNonValidated headers, string remainingName, string resetName, DateTimeOffset written)
    {
        long? remaining = TryNumber(Join(headers, remainingName), out var count) ? (long)Math.Min(count, long.MaxValue / 2) : null;
        double? reset = TryReset(Join(headers, resetName), written, out var seconds) ? seconds : null;
        return remaining is null && reset is null ? null : new BindingLimit(remaining, reset);
    }

    private static TimeSpan? RetryAfter(string? text, DateTimeOffset written)
    {
        if (text is null)
            return null;
        if (TryNumber(text, out var seconds))
            return ToDuration(seconds);
        return TryDate(text, out var date) ? ToDuration((date - written).TotalSeconds) : null;
    }

    private static bool TryReset(string? text, DateTimeOffset written, out double seconds)
    {
        if (TryNumber(text, out seconds))
        {
            if (seconds >= SmallestEpochMillis)
                seconds /= 1000;
            if (seconds >= SmallestEpochSeconds)
                seconds = Math.Max(0, seconds - (written - DateTimeOffset.UnixEpoch).TotalSeconds);
            return true;
        }
        if (!TryDate(text, out var date) &&
            !DateTimeOffset.TryParseExact(text, ["yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mm:ss.FFFFFFFK"], CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal, out date))
            return false;
        seconds = Math.Max(0, (date - written).TotalSeconds);
        return true;
    }

    /// <summary>A number that is not negative, perhaps with a fraction. Of a list, or with parameters, the first counts.</summary>
    private static bool TryNumber(string? text, out double number)
    {
        number = 0;
        if (text is null)
            return false;
        var first = text.AsSpan();
        var end = first.IndexOfAny(',', ';');
        if (end >= 0)
            first = first[..end];
        return double.TryParse(first.Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);
    }

    /// <summary>The three forms of dates that HTTP knows.</summary>
    private static bool TryDate(string? text, out DateTimeOffset date) =>
        DateTimeOffset.TryParseExact(text, ["r", "dddd, dd-MMM-yy HH:mm:ss 'GMT'", "ddd MMM d HH:mm:ss yyyy"], CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowInnerWhite, out date);

    private static TimeSpan? ToDuration(double? seconds) => seconds switch
    {
        null => null,
        <= 0 => TimeSpan.Zero,
        > 3e9 => TimeSpan.FromSeconds(3e9),
        _ => TimeSpan.FromSeconds(seconds.Value),
    };

    private static string? Join(HttpHeadersNonValidated headers, string name)
    {
        if (!headers.TryGetValues(name, out var values))
            return null;
        return values.Count == 1 ? values.ToString() : string.Join(", ", values);
    }
}
