namespace Weir.LoadGen.Proof;

/// <summary>
/// How far time on the server may be from time here. Clocks that are kept to the time of day run up to 500 ppm faster or slower for a while, on either side, and
/// servers count in microseconds. Nothing is called a fault that this could explain.
/// </summary>
internal static class Tolerance
{
    /// <summary>One thousandth: 500 ppm on each side.</summary>
    public const long Parts = 1_000;

    /// <summary>Two microseconds, for stamps that the server rounds.</summary>
    public const long StampNanos = 2_000;

    /// <summary>The shortest time here that may be this long on the server. May be negative.</summary>
    public static long Shortest(long nanos) => nanos - (nanos / Parts) - StampNanos;

    /// <summary>The longest time here that may be this long on the server.</summary>
    public static long Longest(long nanos) => nanos + (nanos / Parts) + StampNanos;
}
