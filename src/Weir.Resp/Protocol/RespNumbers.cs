using System.Buffers;
using System.Buffers.Text;

namespace Weir.Resp;

/// <summary>How numbers and other one-line values are written.</summary>
internal static class RespNumbers
{
    private static readonly SearchValues<byte> DoubleBytes = SearchValues.Create("0123456789+-.eE"u8);

    /// <summary>Reads the length of a string or aggregate: digits alone.</summary>
    public static bool TryParseLength(ReadOnlySpan<byte> digits, out long length)
    {
        length = 0;
        // Ten digits are more than any limit allows and cannot overflow.
        if (digits.Length is 0 or > 10)
            return false;
        foreach (var c in digits)
        {
            if (!char.IsAsciiDigit((char)c))
                return false;
            length = (length * 10) + (c - '0');
        }
        return true;
    }

    /// <summary>Reads a whole number with an optional sign.</summary>
    public static bool TryParseInt64(ReadOnlySpan<byte> text, out long value)
    {
        if (text.Length > 1 && text[0] == '+' && char.IsAsciiDigit((char)text[1]))
            text = text[1..];
        return Utf8Parser.TryParse(text, out value, out var used) && used == text.Length && text[0] != '+';
    }

    /// <summary>Reads a floating-point number, <c>inf</c>, <c>-inf</c> or <c>nan</c>.</summary>
    public static bool TryParseDouble(ReadOnlySpan<byte> text, out double value)
    {
        value = 0;
        if (text.SequenceEqual("inf"u8) || text.SequenceEqual("+inf"u8))
            value = double.PositiveInfinity;
        else if (text.SequenceEqual("-inf"u8))
            value = double.NegativeInfinity;
        else if (text.SequenceEqual("nan"u8) || text.SequenceEqual("-nan"u8))
            value = double.NaN;
        else
            return !text.ContainsAnyExcept(DoubleBytes) && Utf8Parser.TryParse(text, out value, out var used) && used == text.Length;
        return true;
    }

    /// <summary>Whether the line of a value without payload is well formed.</summary>
    public static bool IsValid(RespType type, ReadOnlySpan<byte> text) => type switch
    {
        RespType.Integer => TryParseInt64(text, out _),
        RespType.Double => TryParseDouble(text, out _),
        RespType.Boolean => text is [(byte)'t' or (byte)'f'],
        RespType.Null => text.Length == 0,
        RespType.BigNumber => IsBigNumber(text),
        _ => true,
    };

    private static bool IsBigNumber(ReadOnlySpan<byte> text)
    {
        if (text is [(byte)'-' or (byte)'+', ..])
            text = text[1..];
        return text.Length > 0 && text.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;
    }
}
