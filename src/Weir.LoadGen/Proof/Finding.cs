namespace Weir.LoadGen.Proof;

/// <summary>How a promise was broken.</summary>
internal enum Fault
{
    /// <summary>More was admitted than the promise allows.</summary>
    OverAdmitted,

    /// <summary>A request was refused although there was room for it.</summary>
    WronglyRefused,

    /// <summary><c>X-RateLimit-Remaining</c> says more than can have been left.</summary>
    WrongRemaining,

    /// <summary>A request that had waited for <c>Retry-After</c> was refused although nobody else had taken anything.</summary>
    WrongRetryAfter,

    /// <summary><c>X-RateLimit-Limit</c> says another limit.</summary>
    WrongLimit,
}

/// <summary>Something that cannot have happened if the promise was kept.</summary>
/// <param name="Fault">How it was broken.</param>
/// <param name="Key">Whose.</param>
/// <param name="Time">When, on the run's clock.</param>
/// <param name="Text">What was seen, as a sentence without key and time.</param>
internal sealed record Finding(Fault Fault, string Key, Bracket Time, string Text)
{
    /// <summary>Requests too many, where it is over-admission and the number is known for sure; otherwise 1.</summary>
    public long Excess { get; init; } = 1;

    /// <summary>How many of the requests in question went to each target; empty where that tells nothing.</summary>
    public IReadOnlyList<long> ByTarget { get; init; } = [];
}
