using System.Globalization;

namespace Weir;

/// <summary>Durations as people write them in configuration: <c>500ms</c>, <c>30s</c>, <c>10m</c>, <c>1h30m</c>, <c>7d</c>.</summary>
public static class Durations
{
    private static readonly (string Suffix, long Micros)[] Units =
    [
        ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1),
    ];

    /// <summary>Reads a duration made of whole numbers with units d, h, m, s, ms or us, such as <c>1h30m</c>.</summary>
    /// <param name="text">The text; a number without unit is not accepted.</param>
    /// <param name="micros">The duration in microseconds.</param>
    /// <returns>False when the text is not a duration or exceeds 292,000 years.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out long micros)
    {
        micros = 0;
        if (text.IsEmpty)
            return false;
        while (!text.IsEmpty)
        {
            var digits = Prefix(text, char.IsAsciiDigit);
            var rest = text[digits..];
            var letters = Prefix(rest, char.IsAsciiLetter);
            if (!long.TryParse(text[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var amount)
                || UnitMicros(rest[..letters]) is not { } unit
                || amount > (long.MaxValue - micros) / unit)
                return false;
            micros += amount * unit;
            text = rest[letters..];
        }
        return true;
    }

    /// <summary>Writes a duration in the form that <see cref="TryParse"/> reads, largest units first.</summary>
    public static string Format(long micros)
    {
        if (micros <= 0)
            return micros == 0 ? "0s" : $"{micros}us";
        var text = "";
        foreach (var (suffix, unit) in Units)
        {
            if (micros >= unit)
                text += $"{micros / unit}{suffix}";
            micros %= unit;
        }
        return text;
    }

    private static int Prefix(ReadOnlySpan<char> text, Func<char, bool> belongs)
    {
        var length = 0;
        while (length < text.Length && belongs(text[length]))
            length++;
        return length;
    }

    private static long? UnitMicros(ReadOnlySpan<char> suffix)
    {
        foreach (var (name, micros) in Units)
        {
            if (suffix.SequenceEqual(name))
                return micros;
        }
        return null;
    }
}
