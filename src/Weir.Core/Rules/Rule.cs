using System.Numerics;

namespace Weir;

/// <summary>A limit with a name. Immutable and checked: an instance that exists can be decided without overflow.</summary>
public sealed class Rule
{
    private Rule(RuleOptions options)
    {
        Name = options.Name;
        Domain = options.Domain;
        Path = options.Path ?? options.Name;
        Algorithm = options.Algorithm;
        Permits = options.Permits;
        WindowMicros = (options.Calendar is { } u ? CalendarWindows.Nominal(u) : options.Window).Ticks / TimeSpan.TicksPerMicrosecond;
        Burst = options.Burst ?? options.Permits;
        Failure = options.Failure;
        Shadow = options.Shadow;
        Quota = options.Quota;
        Unlimited = options.Unlimited;
        Replaces = options.Replaces;
        if (options.Calendar is { } unit)
            Calendar = new CalendarWindows(unit, RuleValidator.FindZone(options.TimeZone)!);
        var divisor = Permits == 0 ? 1 : (long)BigInteger.GreatestCommonDivisor(WindowMicros, Permits);
        EmissionNumerator = WindowMicros / divisor;
        EmissionDenominator = Math.Max(1, Permits / divisor);
    }

    /// <summary>Name of the rule, shown in headers, metrics and messages.</summary>
    public string Name { get; }

    /// <summary>Domain that the rule belongs to.</summary>
    public string Domain { get; }

    /// <summary>Place of the rule within its domain; with it, counters survive a change of the limit.</summary>
    public string Path { get; }

    /// <summary>How the rule counts.</summary>
    public AlgorithmKind Algorithm { get; }

    /// <summary>The limit. 0 refuses everything that costs a permit.</summary>
    public long Permits { get; }

    /// <summary>Length of the window in microseconds; the lease time for <c>concurrency</c>; nominal (30 and 365 days) for calendar windows.</summary>
    public long WindowMicros { get; }

    /// <summary>Length of the window; the lease time for <c>concurrency</c>.</summary>
    public TimeSpan Window => TimeSpan.FromTicks(WindowMicros * TimeSpan.TicksPerMicrosecond);

    /// <summary>Depth of a <c>token-bucket</c>; equals <see cref="Permits"/> elsewhere.</summary>
    public long Burst { get; }

    /// <summary>Calendar windows of a <c>fixed-window</c> rule, or null for windows aligned to the epoch.</summary>
    public CalendarWindows? Calendar { get; }

    /// <summary>What to answer when the engine cannot decide.</summary>
    public FailurePolicy Failure { get; }

    /// <summary>True when the rule decides and counts but never refuses.</summary>
    public bool Shadow { get; }

    /// <summary>True when only the refusal of every quota rule together refuses a request.</summary>
    public bool Quota { get; }

    /// <summary>True when the rule matches without limiting.</summary>
    public bool Unlimited { get; }

    /// <summary>Names of rules that do not apply to a request which this rule matches.</summary>
    public IReadOnlyList<string> Replaces { get; }

    /// <summary>
    /// The time one permit takes to come back is exactly <see cref="EmissionNumerator"/> / <see cref="EmissionDenominator"/>
    /// microseconds, in lowest terms.
    /// </summary>
    public long EmissionNumerator { get; }

    /// <summary>See <see cref="EmissionNumerator"/>.</summary>
    public long EmissionDenominator { get; }

    /// <summary>Checks <paramref name="options"/> and makes the rule.</summary>
    /// <exception cref="RuleException">The options break one or more bounds; the message names every one with its cure.</exception>
    public static Rule Create(RuleOptions options)
    {
        var problems = new List<string>();
        return TryCreate(options, problems) ?? throw new RuleException(problems);
    }

    /// <summary>Checks <paramref name="options"/> and makes the rule, or adds every problem to <paramref name="problems"/>.</summary>
    /// <returns>Null when there was a problem.</returns>
    public static Rule? TryCreate(RuleOptions options, ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(problems);
        var before = problems.Count;
        RuleValidator.Validate(options, problems);
        return problems.Count == before ? new Rule(options) : null;
    }

    /// <summary>The options that make this rule again.</summary>
    public RuleOptions ToOptions() => new()
    {
        Name = Name,
        Domain = Domain,
        Path = Path,
        Algorithm = Algorithm,
        Permits = Permits,
        Window = Window,
        Burst = Algorithm == AlgorithmKind.TokenBucket ? Burst : null,
        Calendar = Calendar?.Unit,
        TimeZone = Calendar?.Zone.Id,
        Failure = Failure,
        Shadow = Shadow,
        Quota = Quota,
        Unlimited = Unlimited,
        Replaces = Replaces,
    };

    /// <summary>One of several equal parts of this limit: all of them together admit no more than it does.</summary>
    /// <param name="parts">How many parts: 1 or more.</param>
    /// <returns>Null when the part is nothing.</returns>
    public Rule? PartOf(int parts)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(parts, 1);
        var options = ToOptions();
        // A part of a bucket is a bucket that fills more slowly; of other rules, fewer permits.
        if (Algorithm == AlgorithmKind.TokenBucket)
        {
            var slower = options with { Burst = Burst / parts, Window = options.Window * parts };
            return TryCreate(slower, []) ?? TryCreate(options with { Burst = Burst / parts, Permits = Permits / parts }, []);
        }
        return Permits / parts == 0 ? null : TryCreate(options with { Permits = Permits / parts }, []);
    }

    /// <summary>True when counters of both rules hold their state in the same form, so that one can go on with the other's.</summary>
    internal bool CountsLike(Rule other) =>
        Algorithm == other.Algorithm
        && (Algorithm == AlgorithmKind.Concurrency || WindowMicros == other.WindowMicros)
        && (Algorithm != AlgorithmKind.TokenBucket || (EmissionNumerator == other.EmissionNumerator && EmissionDenominator == other.EmissionDenominator))
        && Calendar?.Unit == other.Calendar?.Unit
        && Calendar?.Zone.Id == other.Calendar?.Zone.Id;

    /// <inheritdoc />
    public override string ToString() => $"{Domain}/{Name}: {Permits} per {Durations.Format(WindowMicros)} {Algorithm.ToName()}";
}

/// <summary>A rule's options broke their bounds.</summary>
public sealed class RuleException : ArgumentException
{
    /// <summary>Makes the exception for the problems found.</summary>
    public RuleException(IReadOnlyList<string> problems)
        : base(string.Join(Environment.NewLine, problems)) => Problems = problems;

    /// <summary>Every problem, each naming the rule, the field, the value and the cure.</summary>
    public IReadOnlyList<string> Problems { get; }
}
