namespace AgentApi.Http;

/// <summary>
/// The name under which a request is found in the logs of everyone it passes. One that comes from before is kept when it is well-formed; others
/// could forge log entries.
/// </summary>
internal static class RequestId
{
    public const string Header = "X-Request-ID";
    private const int MaxLength = 128;

    private static readonly object Slot = new();

    /// <summary>Takes the request's name, or gives it one.</summary>
    public static string Assign(HttpContext context)
    {
        var given = context.Request.Headers[Header];
        var id = given is [{ } text] && IsWellFormed(text) ? text : $"{Guid.NewGuid():n}";
        context.Items[Slot] = id;
        return id;
    }

    /// <summary>The request's name.</summary>
    public static string Of(HttpContext context) => context.Items[Slot] as string ?? "";

    private static bool IsWellFormed(string text) =>
        text.Length is > 0 and <= MaxLength && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':');
}
