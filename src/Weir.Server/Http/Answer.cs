using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using Weir.Server.Deciding;

namespace Weir.Server.Http;

/// <summary>
/// Writes answers as JSON into memory that each thread keeps. Use on one thread between <see cref="Begin"/> and the copy of <see cref="Written"/>:
/// no await in between.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The writer owns nothing but the buffer, and lives as long as its thread.")]
internal sealed class Answer
{
    private const string QuotaExceeded = "https://iana.org/assignments/http-problem-types#quota-exceeded";
    private const string ReducedCapacity = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";

    // A batch of a thousand long keys makes a large buffer, which is not kept.
    private const int KeptBytes = 64 * 1024;

    [ThreadStatic]
    private static Answer? _own;

    private ArrayBufferWriter<byte> _buffer = new(1024);
    private readonly Utf8JsonWriter _json;

    private Answer() => _json = new Utf8JsonWriter(_buffer, new JsonWriterOptions { SkipValidation = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public Utf8JsonWriter Json => _json;

    /// <summary>What was written, valid until the thread's next <see cref="Begin"/>.</summary>
    public ReadOnlySpan<byte> Written
    {
        get
        {
            _json.Flush();
            return _buffer.WrittenSpan;
        }
    }

    /// <summary>This thread's writer, empty.</summary>
    public static Answer Begin()
    {
        var own = _own ??= new Answer();
        if (own._buffer.Capacity > KeptBytes)
            own._buffer = new ArrayBufferWriter<byte>(1024);
        own._buffer.ResetWrittenCount();
        own._json.Reset(own._buffer);
        return own;
    }

    /// <summary>The status of a decision: 200, 429, or 503 where a failure policy refused.</summary>
    public static int StatusOf(in Decision decision) =>
        decision.IsAllowed ? 200 : decision.Source == DecisionSource.Degraded ? 503 : 429;

    /// <summary>Writes the fields of a problem, without the object around them.</summary>
    /// <param name="decision">A refusal.</param>
    /// <param name="whyDegraded">Why the engine may not have been able to decide.</param>
    public void ProblemFields(in Decision decision, string whyDegraded)
    {
        var degraded = decision.Source == DecisionSource.Degraded;
        _json.WriteString("type"u8, degraded ? ReducedCapacity : QuotaExceeded);
        _json.WriteString("title"u8, degraded
            ? "Request cannot be satisfied due to temporary server capacity constraints"
            : "Request cannot be satisfied as assigned quota has been exceeded");
        _json.WriteNumber("status"u8, StatusOf(decision));
        _json.WriteString("detail"u8, Detail(decision, whyDegraded));
        _json.WriteStartArray("violated-policies"u8);
        if (decision.Rule is { } rule)
            _json.WriteStringValue(RuleFacts.Of(rule).JsonName);
        _json.WriteEndArray();
    }

    /// <summary>Writes the fields that say what was decided, without the object around them.</summary>
    public void DecisionFields(in Decision decision)
    {
        if (decision.Rule is { } rule)
        {
            _json.WriteString("rule"u8, RuleFacts.Of(rule).JsonName);
            _json.WriteNumber("limit"u8, rule.Burst);
        }
        else
        {
            _json.WriteNull("rule"u8);
            _json.WriteNull("limit"u8);
        }
        _json.WriteNumber("remaining"u8, decision.Remaining);
        _json.WriteNumber("reset_ms"u8, Millis(decision.ResetMicros));
        if (decision.Outcome == Outcome.NeverFits)
            _json.WriteNull("retry_after_ms"u8);
        else
            _json.WriteNumber("retry_after_ms"u8, Millis(decision.RetryAfterMicros));
    }

    public void Source(DecisionSource source) => _json.WriteString("source"u8, source switch
    {
        DecisionSource.Exact => "exact"u8,
        DecisionSource.DenyCache => "deny-cache"u8,
        _ => "degraded"u8,
    });

    // Rounded up: a caller that waits this long is never early.
    public static long Millis(long micros) => (micros + 999) / 1000;

    public static long Seconds(long micros) => (micros + 999_999) / 1_000_000;

    private static string PolicyOf(in Decision decision) => decision.Rule?.Failure.ToString().ToLowerInvariant() ?? "closed";

    private static string Detail(in Decision decision, string whyDegraded) => decision switch
    {
        { Source: DecisionSource.Degraded } => $"{whyDegraded}, and the rule's failure policy, {PolicyOf(decision)}, refuses. Try again later.",
        { Outcome: Outcome.NeverFits } => $"The cost is more than the limit of {decision.Rule!.Burst} can ever give. Ask for less.",
        _ => $"The limit of {decision.Rule!.Permits} per {Durations.Format(decision.Rule.WindowMicros)} is reached. Try again in {Seconds(decision.RetryAfterMicros)} s.",
    };
}
