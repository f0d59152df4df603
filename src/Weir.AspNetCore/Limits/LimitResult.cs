namespace Weir.AspNetCore;

/// <summary>The answer to a check. A value: refusal is no exception, and neither is a limiter that cannot be asked.</summary>
public readonly record struct LimitResult
{
    /// <summary>Allowed, refused for now, or never possible.</summary>
    public Outcome Outcome { get; init; }

    /// <summary>
    /// Where the answer came from: <see cref="DecisionSource.Exact"/> from the counter, <see cref="DecisionSource.DenyCache"/> from a refusal that still holds,
    /// <see cref="DecisionSource.Degraded"/> from the failure policy, because nobody could decide.
    /// </summary>
    public DecisionSource Source { get; init; }

    /// <summary>Permits left now, of the limit that binds. 0 or more.</summary>
    public long Remaining { get; init; }

    /// <summary>Time until the counter is as if never used, when nothing more is taken.</summary>
    public TimeSpan Reset { get; init; }

    /// <summary>Time until the same request would be allowed, when nothing else is taken; zero when allowed or never possible.</summary>
    public TimeSpan RetryAfter { get; init; }

    /// <summary>For <see cref="IWeirClient.RefundAsync"/>; null when nothing was taken.</summary>
    public LimitReceipt? Receipt { get; init; }

    /// <summary>True when the request may go on.</summary>
    public bool IsAllowed => Outcome == Outcome.Allowed;

    /// <summary>Name of the limit that binds: of those that refuse the one to wait for longest, else the one with the least remaining. Null: none applied.</summary>
    public string? Name => Facts?.Name;

    /// <summary>The most that <see cref="Remaining"/> can be; null when no limit applied.</summary>
    public long? Limit => Facts?.Limit;

    /// <summary>The limit that binds as the header <c>RateLimit-Policy</c> says it, such as <c>"login";q=5;w=60</c>; null when no limit applied.</summary>
    public string? Policy => Facts?.Policy;

    internal LimitFacts? Facts { get; init; }

    /// <summary>The answer where no limit applies.</summary>
    public static LimitResult Unlimited => new() { Outcome = Outcome.Allowed, Remaining = uint.MaxValue };
}

/// <summary>What an allowed check has taken, so that it can be given back. Immutable.</summary>
public sealed class LimitReceipt
{
    internal LimitReceipt(IReadOnlyList<LimitCharge> charges, object taken) => (Charges, Taken) = (charges, taken);

    /// <summary>What was charged.</summary>
    public IReadOnlyList<LimitCharge> Charges { get; }

    /// <summary>How the one who charged it knows it again.</summary>
    internal object Taken { get; }
}

/// <summary>Permits taken for a request whose cost is known only afterwards. Commit or cancel it, once.</summary>
public sealed class LimitReservation
{
    internal LimitReservation(LimitResult result, object? taken, TimeSpan holds) => (Result, Taken, Holds) = (result, taken, holds);

    /// <summary>What was decided. When it is not allowed, nothing is reserved, and committing does nothing.</summary>
    public LimitResult Result { get; }

    /// <summary>True when the permits are reserved and the request may go on.</summary>
    public bool IsAllowed => Result.IsAllowed;

    /// <summary>How long it is held without being renewed. What is not committed by then stays charged as reserved; leases end.</summary>
    public TimeSpan Holds { get; }

    /// <summary>How the one who charged it knows it again; null when nothing was charged.</summary>
    internal object? Taken { get; }
}
