using System.Globalization;

namespace Weir.LoadGen.Configuration;

/// <summary>Durations as people write them: <c>30</c> and <c>0.5</c> are seconds; <c>250ms</c>, <c>30s</c>, <c>10m</c>, <c>1h30m</c>.</summary>
internal static class Times
{
    private static readonly (string Suffix, double Seconds)[] Units = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1), ("ms", 0.001), ("us", 0.000001)];

    /// <summary>Reads a duration.</summary>
    /// <returns>Seconds, 0 or more; null when the text is no duration.</returns>
    public static double? TryParse(string text)
    {
        if (TryNumber(text, out var plain))
            return plain;
        var rest = text.AsSpan().Trim();
        var seconds = 0.0;
        while (!rest.IsEmpty)
        {
            var digits = Prefix(rest, static c => char.IsAsciiDigit(c) || c == '.');
            var letters = Prefix(rest[digits..], char.IsAsciiLetter);
            if (!TryNumber(rest[..digits], out var amount) || UnitOf(rest.Slice(digits, letters)) is not { } unit)
                return null;
            seconds += amount * unit;
            rest = rest[(digits + letters)..];
        }
        return string.IsNullOrWhiteSpace(text) ? null : seconds;
    }

    /// <summary>Writes a duration in the form that <see cref="TryParse"/> reads: <c>1m30s</c>, <c>250ms</c>.</summary>
    public static string Format(double seconds)
    {
        if (seconds < 1)
            return seconds >= 0.001 ? $"{seconds * 1_000:0.###}ms" : seconds > 0 ? $"{seconds * 1_000_000:0.###}us" : "0s";
        if (seconds < 60)
            return $"{seconds:0.###}s";
        var text = "";
        var left = Math.Round(seconds);
        foreach (var (suffix, unit) in Units.Take(4))
        {
            var whole = Math.Floor(left / unit);
            if (whole > 0)
                text += $"{whole:0}{suffix}";
            left -= whole * unit;
        }
        return text;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out double number) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);

    private static int Prefix(ReadOnlySpan<char> text, Func<char, bool> belongs)
    {
        var length = 0;
        while (length < text.Length && belongs(text[length]))
            length++;
        return length;
    }

    private static double? UnitOf(ReadOnlySpan<char> suffix)
    {
        foreach (var (name, seconds) in Units)
        {
            if (suffix.Equals(name, StringComparison.OrdinalIgnoreCase))
                return seconds;
        }
        return null;
    }
}
