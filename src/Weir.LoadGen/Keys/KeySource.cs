namespace Weir.LoadGen.Keys;

/// <summary>The keys that requests carry, and which request carries which. Immutable, safe for many threads.</summary>
/// <remarks>The choice is a pure function of seed and sequence number, so that a run can be repeated whatever was skipped or came late.</remarks>
internal sealed class KeySource
{
    private readonly string[] _names;
    private readonly double[]? _cumulative;
    private readonly ulong _seed;

    private KeySource(string description, string[] names, double[]? cumulative, ulong seed, bool fresh) =>
        (Description, _names, _cumulative, _seed, AreFresh) = (description, names, cumulative, seed, fresh);

    /// <summary>How the keys were asked for, for reports.</summary>
    public string Description { get; }

    /// <summary>Whether nobody can have used these keys before this run.</summary>
    public bool AreFresh { get; }

    /// <summary>Keys.</summary>
    public int Count => _names.Length;

    /// <summary>Keys that are given, drawn evenly.</summary>
    public static KeySource Given(string description, IEnumerable<string> names, ulong seed) => new(description, [.. names], null, seed, fresh: false);

    /// <summary>Numbered keys, drawn evenly, or with the first ones hot.</summary>
    /// <param name="count">How many.</param>
    /// <param name="prefix">What their names begin with.</param>
    /// <param name="zipf">The exponent of Zipf's law: key number i is drawn in proportion to 1 / i^zipf. Null or 0 draws evenly.</param>
    /// <param name="seed">Another seed draws otherwise.</param>
    /// <param name="fresh">Whether the prefix is of this run alone.</param>
    public static KeySource Numbered(int count, string prefix, double? zipf, ulong seed, bool fresh)
    {
        var names = new string[count];
        for (var i = 0; i < count; i++)
            names[i] = $"{prefix}{i + 1}";
        var description = zipf is { } exponent ? $"{count:N0}, drawn by Zipf's law with exponent {exponent}" : $"{count:N0}, drawn evenly";
        return new KeySource(description, names, zipf is > 0 ? Cumulative(count, zipf.Value) : null, seed, fresh);
    }

    /// <summary>A key's name.</summary>
    public string Name(int index) => _names[index];

    /// <summary>The index of the key that a request carries.</summary>
    public int Draw(long sequence)
    {
        if (_names.Length == 1)
            return 0;
        var uniform = (Mix(_seed + (ulong)sequence) >> 11) * (1.0 / (1UL << 53));
        if (_cumulative is null)
            return (int)(uniform * _names.Length);
        var found = Array.BinarySearch(_cumulative, uniform);
        return Math.Min(found < 0 ? ~found : found + 1, _names.Length - 1);
    }

    // Entry i is the probability that one of the keys 0 to i is drawn.
    private static double[] Cumulative(int count, double exponent)
    {
        var sums = new double[count];
        var sum = 0.0;
        for (var i = 0; i < count; i++)
            sums[i] = sum += Math.Pow(i + 1, -exponent);
        for (var i = 0; i < count; i++)
            sums[i] /= sum;
        return sums;
    }

    // SplitMix64, by Steele, Lea and Flood: consecutive inputs give outputs that look independent.
    private static ulong Mix(ulong value)
    {
        value *= 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
