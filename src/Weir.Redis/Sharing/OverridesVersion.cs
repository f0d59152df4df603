using System.Globalization;

namespace Weir.Redis;

/// <summary>Names one change of overrides: a number that grows, and a mark that tells it from another change of the same number.</summary>
/// <param name="Number">1 or more; 0 before the first change.</param>
/// <param name="Mark">Random digits.</param>
/// <remarks>Two changes can have the same number when Redis lost the first. What Redis holds then is right.</remarks>
public readonly record struct OverridesVersion(long Number, string Mark)
{
    /// <summary>Before the first change.</summary>
    public static OverridesVersion None { get; } = new(0, "");

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    /// <returns><see cref="None"/> for anything else.</returns>
    public static OverridesVersion Parse(string? text)
    {
        var dash = text?.IndexOf('-') ?? -1;
        return dash > 0 && long.TryParse(text.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? new OverridesVersion(number, text![(dash + 1)..])
            : None;
    }

    /// <summary>Number and mark; empty before the first change.</summary>
    public override string ToString() => Number == 0 ? "" : $"{Number}-{Mark}";
}
