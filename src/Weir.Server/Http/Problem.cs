using Weir.Server.Deciding;
using Weir.Server.Metrics;

namespace Weir.Server.Http;

/// <summary>Answers with <c>application/problem+json</c> (RFC 9457) for requests that could not be understood.</summary>
internal static class Problem
{
    public static string TitleOf(int status) => status switch
    {
        400 => "Bad request",
        401 => "Unauthorized",
        404 => "Not found",
        405 => "Method not allowed",
        409 => "Conflict",
        413 => "Content too large",
        415 => "Unsupported media type",
        503 => "Service unavailable",
        _ => "Error",
    };

    /// <summary>The reason under which a request that got <paramref name="status"/> is counted.</summary>
    public static string ReasonOf(int status) => status switch
    {
        404 => RejectReasons.NotFound,
        413 => RejectReasons.TooLarge,
        503 => RejectReasons.Unavailable,
        _ => RejectReasons.BadRequest,
    };

    /// <summary>What to tell a caller that used the wrong method.</summary>
    public static InputException NotAllowed(string method, string methods) =>
        new("method", $"{method} is not allowed here. Use {methods.Replace(", ", " or ")}.", 405);

    /// <summary>What to tell a caller of something for which Redis is needed, and cannot be asked.</summary>
    public static InputException Unavailable(Exception cause) => new("engine", cause.Message, 503);

    public static Task WriteAsync(Exchange exchange, InputException problem)
    {
        var answer = Answer.Begin();
        answer.Json.WriteStartObject();
        answer.Json.WriteString("type"u8, "about:blank"u8);
        answer.Json.WriteString("title"u8, TitleOf(problem.Status));
        answer.Json.WriteNumber("status"u8, problem.Status);
        answer.Json.WriteString("detail"u8, problem.Message);
        answer.Json.WriteString("field"u8, problem.Field);
        answer.Json.WriteEndObject();
        return exchange.AnswerAsync(problem.Status, answer.Written);
    }
}
