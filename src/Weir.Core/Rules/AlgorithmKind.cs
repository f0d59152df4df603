namespace Weir;

/// <summary>How a rule counts. See <c>docs/algorithms.md</c> for what each one promises.</summary>
public enum AlgorithmKind
{
    /// <summary>At most <see cref="Rule.Permits"/> in every interval of length <see cref="Rule.Window"/>. The default.</summary>
    SlidingWindow,

    /// <summary>At most burst + rate × time in every interval (GCRA with an exact rational emission interval).</summary>
    TokenBucket,

    /// <summary>At most <see cref="Rule.Permits"/> per aligned window; up to twice that across a boundary.</summary>
    FixedWindow,

    /// <summary>The two-counter estimate of a sliding window: cheap, approximate.</summary>
    SlidingCounter,

    /// <summary>At most <see cref="Rule.Permits"/> held at once, as leases that end after <see cref="Rule.Window"/>.</summary>
    Concurrency,
}

/// <summary>The names that configuration, messages and metrics use for <see cref="AlgorithmKind"/>.</summary>
public static class AlgorithmNames
{
    private static readonly string[] Names = ["sliding-window", "token-bucket", "fixed-window", "sliding-counter", "concurrency"];

    /// <summary>Every name, in the order of the enum.</summary>
    public static IReadOnlyList<string> All => Names;

    /// <summary>The name of an algorithm, for example <c>sliding-window</c>.</summary>
    public static string ToName(this AlgorithmKind kind) => Names[(int)kind];

    /// <summary>Finds an algorithm by its name, ignoring case.</summary>
    /// <returns>False when no algorithm has that name.</returns>
    public static bool TryParse(string name, out AlgorithmKind kind)
    {
        var index = Array.FindIndex(Names, n => n.Equals(name, StringComparison.OrdinalIgnoreCase));
        kind = index < 0 ? default : (AlgorithmKind)index;
        return index >= 0;
    }
}
