namespace Weir.TestKit;

/// <summary>Rules at the odd corners of what is allowed: limits that do not divide their window, limits of 0 and 1, the largest of everything.</summary>
public static class RandomRules
{
    private const long Second = 1_000_000;

    private static readonly long[] Permits = [0, 1, 1, 2, 3, 5, 7, 10, 13, 60, 97, 100, 1_000, 999_983, 1_000_000, long.MaxValue];

    private static readonly long[] Windows =
    [
        1_000, 100_000, 250_000, 999_983, Second, 7 * Second, 60 * Second, 61 * Second, 3_600 * Second, 86_400 * Second, 30 * 86_400 * Second,
        RuleBounds.MaxWindowMicros,
    ];

    private static readonly string[] Zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "America/Sao_Paulo"];

    /// <summary>A rule of one algorithm. Equal seeds give equal rules.</summary>
    public static Rule Of(AlgorithmKind algorithm, int seed, bool shortWindows = false)
    {
        var random = new Random(seed);
        while (true)
        {
            var permits = Math.Min(Pick(random, Permits), RuleBounds.MaxPermitsOf(algorithm));
            var calendar = algorithm == AlgorithmKind.FixedWindow && random.Next(3) == 0 ? (CalendarUnit?)random.Next(6) : null;
            var options = new RuleOptions
            {
                Name = $"rule{seed}",
                Algorithm = algorithm,
                Permits = permits,
                Window = TimeSpan.FromMicroseconds(shortWindows ? Windows[random.Next(5)] : Pick(random, Windows)),
                Burst = algorithm == AlgorithmKind.TokenBucket ? Burst(random, permits) : null,
                Calendar = shortWindows ? null : calendar,
                TimeZone = calendar is null || shortWindows ? null : Pick(random, Zones),
                Shadow = random.Next(8) == 0,
                Quota = random.Next(4) == 0,
            };
            if (Rule.TryCreate(options, []) is { } rule)
                return rule;
        }
    }

    private static long? Burst(Random random, long permits) => random.Next(5) switch
    {
        0 => 1,
        1 => (permits / 2) + 1,
        2 => Math.Min((permits * 3) + 1, RuleBounds.MaxPermits),
        _ => null,
    };

    private static T Pick<T>(Random random, T[] from) => from[random.Next(from.Length)];
}
