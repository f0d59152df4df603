using System.Text.Json;

namespace AgentApi.Http;

/// <summary>Reads JSON bodies and says what is wrong with them.</summary>
internal static class BodyReader
{
    /// <summary>The most bytes that a body may have.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>Reads a body; an empty one is an empty object.</summary>
    /// <exception cref="InputException">It cannot be understood.</exception>
    public static async Task<T> ReadAsync<T>(HttpContext context)
        where T : class, new()
    {
        try
        {
            using var buffer = new MemoryStream();
            await context.Request.Body.CopyToAsync(buffer, context.RequestAborted);
            if (buffer.Length == 0)
                return new T();
            return JsonSerializer.Deserialize<T>(buffer.ToArray(), Json.Options) ?? throw new InputException("body", "it is null. Send a JSON object.");
        }
        catch (JsonException e)
        {
            throw new InputException("body", $"{Where(e)} cannot be understood. Send a JSON object of {Fields<T>()}.");
        }
    }

    /// <summary>Checks a text: its length in characters, and that it has no zero, which PostgreSQL cannot keep.</summary>
    public static string Text(string field, string? text, int least, int most)
    {
        if (text is null)
            throw new InputException(field, $"it is missing. Send a text of {least} to {most} characters.");
        if (text.Length < least || text.Length > most)
            throw new InputException(field, $"it has {text.Length} characters and must have {least} to {most}.");
        if (text.Contains('\0'))
            throw new InputException(field, "it has a zero character. Leave it out.");
        return text;
    }

    private static string Where(JsonException e) => e switch
    {
        { Path: { Length: > 1 and < 64 } path } => $"what is at {path}",
        { LineNumber: { } line, BytePositionInLine: { } position } => $"it is no JSON at line {line + 1}, byte {position + 1}, so it",
        _ => "it",
    };

    private static string Fields<T>() =>
        string.Join(", ", typeof(T).GetProperties().Select(static p => JsonNamingPolicy.SnakeCaseLower.ConvertName(p.Name)));

}
