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
}
