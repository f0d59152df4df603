using System.Text.Json;

namespace Weir.Cli;

/// <summary>Says a node's answer to a check in words.</summary>
internal static class CheckAnswer
{
    private const long MicrosPerSecond = 1_000_000;

    /// <summary>One line for an answer that is a decision.</summary>
    /// <exception cref="JsonException">The answer is not a decision.</exception>
    public static string Describe(string body)
    {
        using var document = JsonDocument.Parse(body);
        try
        {
            return Describe(document.RootElement);
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new JsonException("The answer is not a decision.", e);
        }
    }

    /// <summary>What a problem document says, or the text itself when it is none.</summary>
    public static string Problem(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.TryGetProperty("detail", out var detail) ? detail.GetString() ?? "" : Shorten(body);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return Shorten(body);
        }
    }

    private static string Describe(JsonElement answer)
    {
        var allowed = answer.GetProperty("allowed").GetBoolean();
        var key = answer.GetProperty("key").GetString();
        if (answer.GetProperty("limit").ValueKind == JsonValueKind.Null)
            return $"allowed  {key}: no limit applies";
        var left = $"{answer.GetProperty("remaining").GetInt64():N0} of {answer.GetProperty("limit").GetInt64():N0} left";
        var rule = $"(rule {answer.GetProperty("rule").GetString()})";
        if (allowed)
            return $"allowed  {key}: {left}, full again in {Time(answer.GetProperty("reset_ms"))} {rule}";
        return answer.GetProperty("retry_after_ms") is { ValueKind: JsonValueKind.Number } retry
            ? $"refused  {key}: {left}, try again in {Time(retry)} {rule}"
            : $"refused  {key}: the cost exceeds what the limit can ever give, {left} {rule}";
    }

    // People wait in seconds; below ten of them the milliseconds matter too.
    private static string Time(JsonElement millis)
    {
        var micros = millis.GetInt64() * 1_000;
        return Durations.Format(micros < 10 * MicrosPerSecond ? micros : (micros + MicrosPerSecond - 1) / MicrosPerSecond * MicrosPerSecond);
    }

    private static string Shorten(string text) => text.Length <= 200 ? text.ReplaceLineEndings(" ") : text[..200].ReplaceLineEndings(" ") + "...";
}
