using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Weir.Server.Deciding;

/// <summary>What answers say about a rule whatever the request, worked out once per rule.</summary>
internal sealed class RuleFacts
{
    private static readonly ConditionalWeakTable<Rule, RuleFacts> Cache = [];

    [ThreadStatic]
    private static RuleFacts? _last;

    private readonly Rule _rule;

    private RuleFacts(Rule rule)
    {
        _rule = rule;
        QuotedName = $"\"{rule.Name.Replace("\\", "\\\\").Replace("\"", "\\\"")}\"";
        LimitText = rule.Burst.ToString();
        JsonName = JsonEncodedText.Encode(rule.Name, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
        var seconds = (rule.WindowMicros + 999_999) / 1_000_000;
        var window = rule.Algorithm == AlgorithmKind.Concurrency ? ";qu=\"concurrent-requests\"" : $";w={seconds}";
        var burst = rule.Burst == rule.Permits ? "" : $";weir-burst={rule.Burst}";
        Policy = $"{QuotedName};q={rule.Permits}{window}{burst}";
    }

    /// <summary>The rule's name as a structured-field string. Rule names are printable ASCII, so quoting suffices.</summary>
    public string QuotedName { get; }

    /// <summary>The most that remaining can be, in digits.</summary>
    public string LimitText { get; }

    public JsonEncodedText JsonName { get; }

    /// <summary>The value of <c>RateLimit-Policy</c>.</summary>
    public string Policy { get; }

    /// <summary>The facts of a rule. A thread that asks for the same rule again has them at hand.</summary>
    public static RuleFacts Of(Rule rule)
    {
        var last = _last;
        return last is not null && ReferenceEquals(last._rule, rule) ? last : _last = Cache.GetValue(rule, static r => new RuleFacts(r));
    }
}
