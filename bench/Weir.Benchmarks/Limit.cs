namespace Weir.Benchmarks;

/// <summary>The same limit for every contender: <paramref name="Permits"/> per <paramref name="Window"/> and key.</summary>
internal readonly record struct Limit(int Permits, TimeSpan Window)
{
    /// <summary>Allows everything, with few requests of a key inside the window at a time.</summary>
    public static Limit Wide { get; } = new(1_000, TimeSpan.FromMilliseconds(100));

    /// <summary>As wide as one key needs that is asked millions of times a second.</summary>
    public static Limit Hot { get; } = new(1_000_000, TimeSpan.FromMilliseconds(100));

    /// <summary>One permit that does not come back while the benchmark runs: everything else is refused.</summary>
    public static Limit Spent { get; } = new(1, TimeSpan.FromDays(1));

    public Rule ToRule(AlgorithmKind algorithm, string name = "bench") =>
        Rule.Create(new RuleOptions { Name = name, Algorithm = algorithm, Permits = Permits, Window = Window });
}
