namespace Weir.LoadGen.Proof;

/// <summary>What the proof found out.</summary>
/// <param name="Promise">What was expected of every key that has no promise of its own.</param>
/// <param name="Findings">What cannot have happened if the promise was kept: the gravest first, at most <see cref="Judge.MostFindings"/>.</param>
/// <param name="Counts">How many findings of each kind there are, kept or not.</param>
internal sealed record ProofResult(Promise Promise, IReadOnlyList<Finding> Findings, IReadOnlyDictionary<Fault, long> Counts)
{
    /// <summary>Whether nothing was found.</summary>
    public bool IsKept => Counts.Count == 0;

    /// <summary>Keys that were used.</summary>
    public int Keys { get; init; }

    /// <summary>Requests that were let pass.</summary>
    public long Admitted { get; init; }

    /// <summary>Requests that were refused by the limit.</summary>
    public long Refused { get; init; }

    /// <summary>Requests of which nobody knows whether a permit was taken.</summary>
    public long Unknown { get; init; }

    /// <summary>The most of one key that were admitted within one window for sure; null for token buckets.</summary>
    public long? Fullest { get; init; }

    /// <summary>How many requests too many in one window, at most, could have gone unseen; null where it cannot be told.</summary>
    public long? BlindSpot { get; init; }

    /// <summary>Where too much was admitted because not all targets count together: which do, as indices of targets. Empty where it cannot be told.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Apart { get; init; } = [];

    /// <summary>What one should know about how much this proves.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}
