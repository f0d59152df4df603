namespace Weir.LoadGen.Configuration;

/// <summary>What settings may be. Beyond these bounds lies a slip of the finger, not a load test.</summary>
internal static class Bounds
{
    public const double LeastRate = 0.001;
    public const double MostRate = 1_000_000;
    public const double LeastSeconds = 0.001;
    public const double MostSeconds = 30 * 86_400;
    public const double MostMultiplier = 1_000;
    public const int MostInFlight = 20_000;
    public const double MostTimeoutSeconds = 3_600;
    public const int MostKeys = 10_000_000;
    public const double MostZipf = 10;
    public const int MostSteps = 10_000;

    /// <summary>A burst is two pieces of the plan, and the plan is kept in memory. Enough for 30 days with one every 13 s.</summary>
    public const int MostBursts = 200_000;

    /// <summary>Pieces of a plan: steps, bursts and what lies between them.</summary>
    public const int MostSegments = 2 * MostBursts;

    /// <summary>A file of keys, in bytes.</summary>
    public const int MostKeyFileBytes = 500_000_000;

    /// <summary>A body, in bytes.</summary>
    public const int MostBodyBytes = 50_000_000;

    /// <summary>A scenario, in bytes.</summary>
    public const int MostScenarioBytes = 1_000_000;
}
