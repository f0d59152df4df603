using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Weir.AspNetCore;

/// <summary>Answers refused requests: 429, or 503 where a failure policy refuses, with problem+json (RFC 9457) as nodes write it.</summary>
internal static class RefusalWriter
{
    private const string QuotaExceeded = "https://iana.org/assignments/http-problem-types#quota-exceeded";
    private const string ReducedCapacity = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";

    public static Task WriteAsync(HttpContext context, LimitResult result, Func<HttpContext, LimitResult, Task>? custom)
    {
        var response = context.Response;
        var isDegraded = result.Source == DecisionSource.Degraded;
        response.StatusCode = isDegraded ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status429TooManyRequests;
        response.Headers.CacheControl = "no-store";
        if (custom is not null)
            return custom(context, result);
        response.ContentType = "application/problem+json";
        using (var json = new Utf8JsonWriter(response.BodyWriter, new JsonWriterOptions { SkipValidation = true }))
            Write(json, result, isDegraded, response.StatusCode);
        return response.BodyWriter.FlushAsync().AsTask();
    }

    private static void Write(Utf8JsonWriter json, in LimitResult result, bool isDegraded, int status)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, isDegraded ? ReducedCapacity : QuotaExceeded);
        json.WriteString("title"u8, isDegraded
            ? "Request cannot be satisfied due to temporary server capacity constraints"
            : "Request cannot be satisfied as assigned quota has been exceeded");
        json.WriteNumber("status"u8, status);
        json.WriteString("detail"u8, Detail(result, isDegraded));
        json.WriteStartArray("violated-policies"u8);
        if (result.Name is { } name)
            json.WriteStringValue(name);
        json.WriteEndArray();
        if (result.Outcome == Outcome.NeverFits)
            json.WriteNull("retry_after_ms"u8);
        else
            json.WriteNumber("retry_after_ms"u8, (long)Math.Ceiling(result.RetryAfter.TotalMilliseconds));
        json.WriteEndObject();
    }

    private static string Detail(in LimitResult result, bool isDegraded) => result switch
    {
        _ when isDegraded => "The rate limiter cannot decide at the moment. Try again later.",
        { Outcome: Outcome.NeverFits } => $"The request costs more than the limit '{result.Name}' of {result.Limit} can ever give. Ask for less.",
        _ => $"The limit '{result.Name}' of {result.Limit} is reached. Try again in {LimitHeaders.Seconds(result.RetryAfter)} s.",
    };
}
