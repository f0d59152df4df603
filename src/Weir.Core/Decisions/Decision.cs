namespace Weir;

/// <summary>What a limit says to a request.</summary>
public enum Outcome
{
    /// <summary>The permits were taken (or, at cost 0, looked at).</summary>
    Allowed,

    /// <summary>Refused until <see cref="Decision.RetryAfter"/> has passed. Nothing was taken.</summary>
    Refused,

    /// <summary>The cost is larger than the limit can ever give. Nothing was taken, and waiting does not help.</summary>
    NeverFits,
}

/// <summary>Where a decision came from.</summary>
public enum DecisionSource
{
    /// <summary>From the counter itself: the algorithm's promise holds.</summary>
    Exact,

    /// <summary>From the memory of an earlier refusal that is still in force: as exact as <see cref="Exact"/>.</summary>
    DenyCache,

    /// <summary>From the rule's failure policy, because the engine could not decide.</summary>
    Degraded,
}

/// <summary>The answer to one request for permits. A value; it allocates nothing.</summary>
public readonly record struct Decision
{
    /// <summary>Allowed, refused for now, or never possible.</summary>
    public Outcome Outcome { get; init; }

    /// <summary>Where the answer came from.</summary>
    public DecisionSource Source { get; init; }

    /// <summary>The rule that speaks: the one that refuses, or of those that allow the one with the least remaining. Null: no limit applied.</summary>
    public Rule? Rule { get; init; }

    /// <summary>Permits left now, after this request. 0 or more.</summary>
    public long Remaining { get; init; }

    /// <summary>Microseconds until the counter is as if never used, when nothing more is taken.</summary>
    public long ResetMicros { get; init; }

    /// <summary>Microseconds until the same request would be allowed, when nothing else is taken; 0 when allowed or never possible.</summary>
    public long RetryAfterMicros { get; init; }

    /// <summary>
    /// Marks what was taken, for giving it back: pass it to <see cref="ILimiter.SettleAsync"/>. Its meaning is the algorithm's;
    /// for <c>concurrency</c> it names the lease.
    /// </summary>
    public long Stamp { get; init; }

    /// <summary>True when the permits were taken.</summary>
    public bool IsAllowed => Outcome == Outcome.Allowed;

    /// <summary><see cref="ResetMicros"/> as a time span.</summary>
    public TimeSpan Reset => TimeSpan.FromMicroseconds(ResetMicros);

    /// <summary><see cref="RetryAfterMicros"/> as a time span.</summary>
    public TimeSpan RetryAfter => TimeSpan.FromMicroseconds(RetryAfterMicros);

    /// <summary>The answer where no limit applies.</summary>
    public static Decision Unlimited => new() { Outcome = Outcome.Allowed, Remaining = uint.MaxValue };
}
