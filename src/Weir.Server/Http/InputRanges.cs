using System.Globalization;
using Weir.Server.Deciding;

namespace Weir.Server.Http;

/// <summary>The ranges of what callers send, with the messages for what is outside.</summary>
internal static class InputRanges
{
    public const long MinTtlMillis = 1_000;
    public const long MaxTtlMillis = 3_600_000;
    public const int MaxChecks = 1_000;
    public const int MaxEntries = 16;

    public static int Cost(string field, ReadOnlySpan<char> text) => (int)Whole(field, text, 0, RuleBounds.MaxCost);

    /// <summary>Reads a whole number in a range.</summary>
    /// <exception cref="InputException">It is not one.</exception>
    public static long Whole(string field, ReadOnlySpan<char> text, long least, long most)
    {
        // In a query a plus is a space, so it is no sign either.
        if (!text.StartsWith('+') && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
            return value;
        throw new InputException(field, $"{Shown(text)} must be a whole number from {least:N0} to {most:N0}.");
    }

    private static string Shown(ReadOnlySpan<char> text) => text.Length <= 40 ? $"'{text}'" : $"'{text[..40]}...'";
}
