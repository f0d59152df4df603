using System.Globalization;

namespace Weir;

/// <summary>
/// The identity of a counter: 128 bits of a secretly seeded hash over rule and descriptor. At ten million counters the chance that
/// any two share an identity is below 10^-24; two that did would share one limit, never exceed it.
/// </summary>
public readonly record struct CounterId(ulong High, ulong Low) : IComparable<CounterId>
{
    /// <inheritdoc />
    public int CompareTo(CounterId other) => High != other.High ? High.CompareTo(other.High) : Low.CompareTo(other.Low);

    /// <summary>32 hexadecimal digits.</summary>
    public override string ToString() => $"{High:x16}{Low:x16}";

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out CounterId id)
    {
        id = default;
        if (text.Length != 32
            || !ulong.TryParse(text[..16], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var high)
            || !ulong.TryParse(text[16..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var low))
            return false;
        id = new CounterId(high, low);
        return true;
    }

    /// <summary>Orders identities by value, as engines lock them.</summary>
    public static bool operator <(CounterId left, CounterId right) => left.CompareTo(right) < 0;

    /// <summary>Orders identities by value.</summary>
    public static bool operator >(CounterId left, CounterId right) => left.CompareTo(right) > 0;

    /// <summary>Orders identities by value.</summary>
    public static bool operator <=(CounterId left, CounterId right) => left.CompareTo(right) <= 0;

    /// <summary>Orders identities by value.</summary>
    public static bool operator >=(CounterId left, CounterId right) => left.CompareTo(right) >= 0;
}
