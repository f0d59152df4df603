using System.Text.Json;

namespace Weir.Redis;

/// <summary>A reservation as it is kept: everything that settles it, so that any node can, whatever its rules.</summary>
internal sealed record ReservationText
{
    /// <summary>The form that this build writes. Another form is not read.</summary>
    public const int Form = 1;

    public int V { get; init; } = Form;

    public long TtlMicros { get; init; }

    public required RuleText[] Rules { get; init; }

    public required ChargeText[] Charges { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, SharedJson.Default.ReservationText);

    /// <returns>Null when it is not of the form that this build knows.</returns>
    public static ReservationText? Read(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, SharedJson.Default.ReservationText) is { V: Form } text ? text : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>What was charged.</summary>
/// <param name="Rule">Which of the rules.</param>
/// <param name="Id">The counter.</param>
/// <param name="Cost">Permits.</param>
/// <param name="Label">What the counter is called.</param>
/// <param name="Stamp">The decision's stamp.</param>
internal sealed record ChargeText(int Rule, string Id, int Cost, byte[] Label, long Stamp);

/// <summary>The options of a rule.</summary>
internal sealed record RuleText
{
    public required string Name { get; init; }

    public required string Domain { get; init; }

    public required string Path { get; init; }

    public AlgorithmKind Algorithm { get; init; }

    public long Permits { get; init; }

    public long WindowTicks { get; init; }

    public long? Burst { get; init; }

    public CalendarUnit? Calendar { get; init; }

    public string? TimeZone { get; init; }

    public FailurePolicy Failure { get; init; }

    public bool Shadow { get; init; }

    public bool Quota { get; init; }

    public static RuleText Of(Rule rule)
    {
        var options = rule.ToOptions();
        return new RuleText
        {
            Name = options.Name,
            Domain = options.Domain,
            Path = rule.Path,
            Algorithm = options.Algorithm,
            Permits = options.Permits,
            WindowTicks = options.Window.Ticks,
            Burst = options.Burst,
            Calendar = options.Calendar,
            TimeZone = options.TimeZone,
            Failure = options.Failure,
            Shadow = options.Shadow,
            Quota = options.Quota,
        };
    }

    public Rule? ToRule() => Rule.TryCreate(
        new RuleOptions
        {
            Name = Name,
            Domain = Domain,
            Path = Path,
            Algorithm = Algorithm,
            Permits = Permits,
            Window = TimeSpan.FromTicks(WindowTicks),
            Burst = Burst,
            Calendar = Calendar,
            TimeZone = TimeZone,
            Failure = Failure,
            Shadow = Shadow,
            Quota = Quota,
        },
        new List<string>());
}
