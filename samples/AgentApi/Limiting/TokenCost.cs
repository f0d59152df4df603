using AgentApi.Http;
using AgentApi.Talking;

namespace AgentApi.Limiting;

/// <summary>
/// The most tokens that a message may cost, known before its body is read: a body of so many bytes cannot hold a longer question, and how long the
/// answer may be stands in the address. Who does not tell the length of the body reserves for the longest.
/// </summary>
internal static class TokenCost
{
    public const string Parameter = "max_tokens";

    private const int DefaultAnswer = 256;
    private const int MaxAnswer = 4_096;

    /// <summary>How long the answer may be.</summary>
    /// <exception cref="InputException">It is out of its range.</exception>
    public static int MaxAnswerOf(HttpContext context) => Query.Integer(context, Parameter, DefaultAnswer, 1, MaxAnswer);

    /// <summary>Question and answer together.</summary>
    public static int Most(HttpContext context)
    {
        var bodyBytes = context.Request.ContentLength is { } length and <= BodyReader.MaxBytes ? (int)length : BodyReader.MaxBytes;
        return Tokens.OfBytes(bodyBytes) + MaxAnswerOf(context);
    }
}
