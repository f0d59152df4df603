namespace Weir.Redis;

/// <summary>
/// Counters are kept together with others that remember about as long. A generation of a class lasts as long as the longest memory in it, so what was not
/// touched for a whole generation means nothing any more.
/// </summary>
internal static class StorageClasses
{
    private const long Second = 1_000_000;

    private static readonly (string Name, long Micros)[] Classes =
    [
        ("10s", 10 * Second), ("1m", 60 * Second), ("10m", 600 * Second), ("1h", 3_600 * Second), ("1d", 86_400 * Second),
        ("8d", 8 * 86_400 * Second), ("64d", 64 * 86_400 * Second), ("733d", 733 * 86_400 * Second),
    ];

    /// <summary>How many classes there are: 8, so that a byte's bits name them.</summary>
    public const int Count = 8;

    /// <summary>What keys call the class.</summary>
    public static string NameOf(int index) => Classes[index].Name;

    /// <summary>Length of the class's generations, in microseconds.</summary>
    public static long MicrosOf(int index) => Classes[index].Micros;

    /// <summary>The class of a rule's counters.</summary>
    public static int Of(Rule rule)
    {
        var memory = MemoryMicros(rule);
        var index = 0;
        while (Classes[index].Micros < memory)
            index++;
        return index;
    }

    // How long after its last change a counter can still matter. Calendar windows can be longer than their nominal length: a month by a day, an hour by half of one.
    private static long MemoryMicros(Rule rule) => rule.Algorithm switch
    {
        AlgorithmKind.TokenBucket => rule.Permits == 0 ? 0 : (long)((Int128)2 * rule.Burst * rule.EmissionNumerator / rule.EmissionDenominator) + 1,
        AlgorithmKind.SlidingCounter => 2 * rule.WindowMicros,
        _ when rule.Calendar is not null => rule.WindowMicros + (rule.WindowMicros / 2),
        _ => rule.WindowMicros,
    };
}
