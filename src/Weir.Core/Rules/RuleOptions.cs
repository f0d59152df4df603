namespace Weir;

/// <summary>What a user says about a rule. <see cref="Rule.Create"/> checks it and makes the immutable <see cref="Rule"/>.</summary>
public sealed record RuleOptions
{
    /// <summary>Name of the rule, shown in headers, metrics and messages.</summary>
    /// <value>1 to 128 printable ASCII characters. Default <c>default</c>.</value>
    public string Name { get; init; } = "default";

    /// <summary>Domain that the rule belongs to.</summary>
    /// <value>1 to 128 characters. Default <c>default</c>, the domain of the simple API.</value>
    public string Domain { get; init; } = "default";

    /// <summary>Place of the rule within its domain; two rules with the same place share their counters over a reload.</summary>
    /// <value>Default: <see cref="Name"/>.</value>
    public string? Path { get; init; }

    /// <summary>How to count.</summary>
    /// <value>Default <see cref="AlgorithmKind.SlidingWindow"/>.</value>
    public AlgorithmKind Algorithm { get; init; } = AlgorithmKind.SlidingWindow;

    /// <summary>The limit: permits per window, or held at once for <c>concurrency</c>.</summary>
    /// <value>0 (refuse everything) to <see cref="RuleBounds.MaxPermitsOf"/>. Default 100.</value>
    public long Permits { get; init; } = 100;

    /// <summary>Length of the window; for <c>concurrency</c> the time after which a lease that is not renewed ends.</summary>
    /// <value>1 ms (100 ms for <c>sliding-counter</c>) to 366 days, in whole microseconds. Default 1 minute.</value>
    /// <remarks>Ignored when <see cref="Calendar"/> is set.</remarks>
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Permits that may be taken at once after a quiet period.</summary>
    /// <value>1 to 1,000,000,000 permits. The default equals <see cref="Permits"/>.</value>
    /// <remarks>For <c>token-bucket</c> only; naming it for another algorithm is an error.</remarks>
    public long? Burst { get; init; }

    /// <summary>Calendar unit of a <c>fixed-window</c>, for limits per real month or local day.</summary>
    /// <value>Default none: windows are aligned to the epoch.</value>
    public CalendarUnit? Calendar { get; init; }

    /// <summary>Time zone of <see cref="Calendar"/>, an IANA name such as <c>Europe/Berlin</c>.</summary>
    /// <value>Default UTC.</value>
    public string? TimeZone { get; init; }

    /// <summary>What to answer when the engine cannot decide.</summary>
    /// <value>Default <see cref="FailurePolicy.Closed"/>.</value>
    public FailurePolicy Failure { get; init; } = FailurePolicy.Closed;

    /// <summary>Decide and count, but never refuse.</summary>
    public bool Shadow { get; init; }

    /// <summary>A quota: the request is refused only when every quota rule that it matches refuses.</summary>
    public bool Quota { get; init; }

    /// <summary>Matches without limiting. <see cref="Permits"/> and <see cref="Window"/> are ignored.</summary>
    public bool Unlimited { get; init; }

    /// <summary>Names of rules that do not apply to a request which this rule matches.</summary>
    public IReadOnlyList<string> Replaces { get; init; } = [];
}
