using System.Text.Json;

namespace Weir.AspNetCore;

/// <summary>Reads what nodes answer. Fields that it does not know are passed over, so that newer nodes are understood.</summary>
internal static class AnswerReader
{
    /// <summary>One decision, as its fields say.</summary>
    /// <param name="Result">What was decided.</param>
    /// <param name="Receipt">For giving it back; null where nothing was taken.</param>
    /// <param name="Reservation">The reservation's name; null where nothing was reserved.</param>
    /// <param name="ExpiresMillis">How long it is held.</param>
    public readonly record struct Answer(LimitResult Result, string? Receipt, string? Reservation, long ExpiresMillis);

    /// <summary>Answers every check of a batch that nobody has answered yet.</summary>
    /// <exception cref="JsonException">It is not the answer to the batch.</exception>
    public static void AnswerBatch(ReadOnlySpan<byte> body, List<PendingCheck> batch)
    {
        var json = new Utf8JsonReader(body);
        Expect(ref json, JsonTokenType.StartObject);
        Expect(ref json, JsonTokenType.PropertyName);
        if (!json.ValueTextEquals("results"u8))
            throw new JsonException("no results");
        Expect(ref json, JsonTokenType.StartArray);
        foreach (var check in batch)
        {
            Expect(ref json, JsonTokenType.StartObject);
            var answer = Read(ref json, check);
            if (check.TryEnd())
                check.Answer(check.Asked is { } asked && answer.Receipt is { } receipt ? answer.Result with { Receipt = new LimitReceipt(asked, receipt) } : answer.Result);
        }
        Expect(ref json, JsonTokenType.EndArray);
    }

    /// <summary>Reads the answer to a single call.</summary>
    /// <returns>Null when it is no decision.</returns>
    public static Answer? ReadOne(ReadOnlySpan<byte> body, PendingCheck check, string? policy)
    {
        var json = new Utf8JsonReader(body);
        Expect(ref json, JsonTokenType.StartObject);
        var before = json;
        // A problem without a decision says nothing of what is allowed.
        while (before.Read() && before.TokenType == JsonTokenType.PropertyName)
        {
            if (before.ValueTextEquals("allowed"u8))
                return Read(ref json, check, policy);
            before.Read();
            before.Skip();
        }
        return null;
    }

    /// <summary>Reads a problem.</summary>
    /// <returns>The check of a batch at fault, −1 when it does not say; and what is wrong.</returns>
    public static (int Index, string Detail) ReadProblem(ReadOnlySpan<byte> body)
    {
        string? field = null, detail = null;
        try
        {
            var json = new Utf8JsonReader(body);
            Expect(ref json, JsonTokenType.StartObject);
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var (isField, isDetail) = (json.ValueTextEquals("field"u8), json.ValueTextEquals("detail"u8));
                json.Read();
                if (isField)
                    field = json.GetString();
                else if (isDetail)
                    detail = json.GetString();
                else
                    json.Skip();
            }
        }
        catch (JsonException)
        {
            // Not a node's words, but those of something between.
        }
        return (IndexOf(field), detail ?? "the node does not understand the request");
    }

    /// <summary>Reads what a refund gave back.</summary>
    public static long ReadRefunded(ReadOnlySpan<byte> body)
    {
        var json = new Utf8JsonReader(body);
        while (json.Read())
        {
            if (json.TokenType == JsonTokenType.PropertyName && json.ValueTextEquals("refunded"u8) && json.Read())
                return Number(ref json);
        }
        return 0;
    }

    private static int IndexOf(string? field)
    {
        const string start = "checks[";
        if (field is null || !field.StartsWith(start, StringComparison.Ordinal))
            return -1;
        var end = field.IndexOf(']');
        return end > 0 && int.TryParse(field.AsSpan(start.Length, end - start.Length), out var index) ? index : -1;
    }

    // From after the object's start to its end.
    private static Answer Read(ref Utf8JsonReader json, PendingCheck check, string? policy = null)
    {
        var (allowed, source, canFit) = (false, DecisionSource.Exact, true);
        string? rule = null, receipt = null, reservation = null;
        long limit = 0, remaining = 0, reset = 0, retryAfter = 0, expires = 0;
        LimitFacts? facts = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("allowed"u8) && json.Read())
                allowed = json.GetBoolean();
            else if (json.ValueTextEquals("rule"u8) && json.Read())
                (rule, facts) = ReadRule(ref json, check);
            else if (json.ValueTextEquals("limit"u8) && json.Read())
                limit = Number(ref json);
            else if (json.ValueTextEquals("remaining"u8) && json.Read())
                remaining = Number(ref json);
            else if (json.ValueTextEquals("reset_ms"u8) && json.Read())
                reset = Number(ref json);
            else if (json.ValueTextEquals("retry_after_ms"u8) && json.Read())
                (retryAfter, canFit) = (Number(ref json), json.TokenType != JsonTokenType.Null);
            else if (json.ValueTextEquals("source"u8) && json.Read())
                source = json.ValueTextEquals("exact"u8) ? DecisionSource.Exact : json.ValueTextEquals("deny-cache"u8) ? DecisionSource.DenyCache : DecisionSource.Degraded;
            else if (json.ValueTextEquals("policy"u8) && json.Read())
                policy = facts is null ? json.GetString() : null;
            else if (check.Asked is not null && json.ValueTextEquals("receipt"u8) && json.Read())
                receipt = json.GetString();
            else if (json.ValueTextEquals("reservation"u8) && json.Read())
                reservation = json.GetString();
            else if (json.ValueTextEquals("expires_ms"u8) && json.Read())
                expires = Number(ref json);
            else
                SkipValue(ref json);
        }
        if (json.TokenType != JsonTokenType.EndObject)
            throw new JsonException("an answer without end");
        var result = new LimitResult
        {
            Outcome = allowed ? Outcome.Allowed : canFit ? Outcome.Refused : Outcome.NeverFits,
            Source = source,
            Remaining = remaining,
            Reset = TimeSpan.FromMilliseconds(reset),
            RetryAfter = TimeSpan.FromMilliseconds(retryAfter),
            Facts = facts ?? (rule is null ? null : new LimitFacts(rule, limit, Quoted(rule), limit.ToString(), policy ?? Quoted(rule))),
        };
        return new Answer(result, receipt, reservation, expires);
    }

    // Limits that the application brought are known here already.
    private static (string? Name, LimitFacts? Facts) ReadRule(ref Utf8JsonReader json, PendingCheck check)
    {
        if (json.TokenType != JsonTokenType.String)
            return (null, null);
        for (var i = 0; i < check.Count; i++)
        {
            if (check.Entries[i].Limit is { Facts: { } facts } && json.ValueTextEquals(facts.Name))
                return (facts.Name, facts);
        }
        return (json.GetString(), null);
    }

    private static void SkipValue(ref Utf8JsonReader json)
    {
        if (json.TokenType == JsonTokenType.PropertyName)
            json.Read();
        json.Skip();
    }

    private static long Number(ref Utf8JsonReader json) => json.TokenType == JsonTokenType.Number ? json.GetInt64() : 0;

    private static string Quoted(string name) => $"\"{name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static void Expect(ref Utf8JsonReader json, JsonTokenType type)
    {
        if (!json.Read() || json.TokenType != type)
            throw new JsonException($"{json.TokenType} instead of {type}");
    }
}
