using System.Buffers;
using System.Globalization;

namespace Weir.Yaml;

/// <summary>A place in a text; both counted from 1.</summary>
internal readonly record struct YamlMark(long Line, long Column);

/// <summary>A value in a YAML document, with its place. An alias is the same object as what it names.</summary>
/// <param name="mark">Where the value begins.</param>
/// <param name="weight">Values in it, itself included, when every alias is written out. Saturates.</param>
internal abstract class YamlNode(YamlMark mark, long weight)
{
    public const long MaxWeight = long.MaxValue / 4;

    public YamlMark Mark { get; } = mark;

    public long Weight { get; } = Math.Min(weight, MaxWeight);

    /// <summary>What it is, as a sentence names it.</summary>
    public abstract string Kind { get; }

    public static long Sum(IEnumerable<YamlNode> nodes)
    {
        var sum = 1L;
        foreach (var node in nodes)
            sum = Math.Min(sum + node.Weight, MaxWeight);
        return sum;
    }
}

internal sealed record YamlPair(YamlNode Key, YamlNode Value);

internal sealed class YamlMapping(YamlMark mark, IReadOnlyList<YamlPair> pairs)
    : YamlNode(mark, Sum(pairs.SelectMany(p => new[] { p.Key, p.Value })))
{
    public IReadOnlyList<YamlPair> Pairs { get; } = pairs;

    public override string Kind => "a mapping";
}

internal sealed class YamlSequence(YamlMark mark, IReadOnlyList<YamlNode> items) : YamlNode(mark, Sum(items))
{
    public IReadOnlyList<YamlNode> Items { get; } = items;

    public override string Kind => "a list";
}

internal enum ScalarKind
{
    Text,
    Empty,
    Flag,
    Integer,
    Fraction,
}

/// <summary>A single value. What a plain one means is decided as YAML 1.1 does, because that is what Envoy's service reads.</summary>
internal sealed class YamlScalar : YamlNode
{
    private static readonly string[] Yes = ["true", "yes", "on", "y"];
    private static readonly string[] No = ["false", "no", "off", "n"];
    private static readonly SearchValues<char> Octal = SearchValues.Create("01234567_");
    private static readonly SearchValues<char> Decimal = SearchValues.Create("0123456789_");
    private static readonly SearchValues<char> Hexadecimal = SearchValues.Create("0123456789abcdefABCDEF_");
    private static readonly SearchValues<char> Fraction = SearchValues.Create("0123456789+-.eE");

    public YamlScalar(YamlMark mark, string text, bool isPlain)
        : base(mark, 1)
    {
        Text = text;
        IsPlain = isPlain;
        ScalarKind = isPlain ? KindOf(text) : ScalarKind.Text;
    }

    public string Text { get; }

    /// <summary>False when it stands in quotes.</summary>
    public bool IsPlain { get; }

    public ScalarKind ScalarKind { get; }

    public override string Kind => ScalarKind switch
    {
        ScalarKind.Empty => "empty",
        ScalarKind.Flag => "true or false",
        ScalarKind.Integer => "a number",
        ScalarKind.Fraction => "a fraction",
        _ => "text",
    };

    public bool IsYes => Yes.Contains(Text, StringComparer.OrdinalIgnoreCase);

    /// <summary>Reads an integer: decimal, or 0x and 0o; underscores may group digits.</summary>
    /// <returns>False when it does not fit 64 bits, or begins with a 0 that readers disagree about.</returns>
    public bool TryInteger(out long value)
    {
        var digits = Text.Replace("_", "", StringComparison.Ordinal).TrimStart('+');
        if (digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
            return long.TryParse(digits.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value) && value >= 0;
        if (digits.StartsWith("0o", StringComparison.OrdinalIgnoreCase))
            return TryOctal(digits.AsSpan(2), out value);
        value = 0;
        return (digits.Length == 1 || digits.TrimStart('-')[0] != '0')
            && long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
    }

    private static bool TryOctal(ReadOnlySpan<char> digits, out long value)
    {
        value = 0;
        if (digits.Length is 0 or > 20)
            return false;
        foreach (var digit in digits)
            value = (value << 3) + (digit - '0');
        return true;
    }

    private static ScalarKind KindOf(string text)
    {
        if (text is "" or "~" || text.Equals("null", StringComparison.OrdinalIgnoreCase))
            return ScalarKind.Empty;
        if (Yes.Contains(text, StringComparer.OrdinalIgnoreCase) || No.Contains(text, StringComparer.OrdinalIgnoreCase))
            return ScalarKind.Flag;
        return IsInteger(text) ? ScalarKind.Integer : IsFraction(text) ? ScalarKind.Fraction : ScalarKind.Text;
    }

    private static bool IsInteger(string text)
    {
        var digits = text.AsSpan(text[0] is '+' or '-' ? 1 : 0);
        if (digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
            return digits.Length > 2 && digits[2..].IndexOfAnyExcept(Hexadecimal) < 0;
        if (digits.StartsWith("0o", StringComparison.OrdinalIgnoreCase))
            return digits.Length > 2 && digits[2..].IndexOfAnyExcept(Octal) < 0;
        return digits.Length > 0 && char.IsAsciiDigit(digits[0]) && digits.IndexOfAnyExcept(Decimal) < 0;
    }

    private static bool IsFraction(string text)
    {
        if (text.TrimStart('+', '-').ToUpperInvariant() is ".INF" or ".NAN")
            return true;
        return text.AsSpan().IndexOfAnyExcept(Fraction) < 0 && text.AsSpan().IndexOfAnyInRange('0', '9') >= 0
            && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _);
    }
}
