using System.Globalization;
using System.Numerics;
using System.Text;

namespace Weir.TestKit.Redis;

/// <summary>
/// A reply as a tree, read in the plainest way there is: one byte after the other, recursively, without bounds. It is what the client's
/// parser is compared with, and what the fixtures themselves use, so that a broken client cannot break them.
/// </summary>
public sealed record PlainReply(char Type, string Text, IReadOnlyList<PlainReply> Items)
{
    public bool IsError => Type is '-' or '!';

    public bool IsNull => Type == '_';

    /// <summary>Reads one reply. Attributes are dropped; null strings and null arrays become nulls.</summary>
    /// <exception cref="EndOfStreamException">The bytes end before the reply does.</exception>
    /// <exception cref="FormatException">The bytes are not RESP.</exception>
    public static PlainReply Read(Stream from) => Read(from, isInside: false);

    /// <summary>The reply on one line, for comparing and for messages.</summary>
    public override string ToString() =>
        Items.Count > 0 || Type is '*' or '~' or '>' or '%' ? $"{Type}[{string.Join(' ', Items)}]" : $"{Type}{Text}";

    private static PlainReply Read(Stream from, bool isInside)
    {
        var type = (char)ReadByte(from, "type");
        if (!"+-:$*_#,(!=%~>|".Contains(type))
            throw new FormatException($"type {(int)type}");
        var line = ReadLine(from);
        switch (type)
        {
            case '>' when isInside:
                throw new FormatException("push inside");
            case '+' or '-':
                return new(type, line, []);
            case ':' when long.TryParse(line, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _):
            case '(' when BigInteger.TryParse(line, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _):
            case '#' when line is "t" or "f":
            case ',' when line is "inf" or "-inf" or "+inf" or "nan" or "-nan":
            case ',' when line.All("0123456789+-.eE".Contains) && double.TryParse(line, NumberStyles.Float, CultureInfo.InvariantCulture, out _):
            case '_' when line.Length == 0:
                return new(type, line, []);
            case '$' or '*' when line == "-1":
                return new('_', "", []);
            case '$' or '!' or '=':
                return ReadPayload(from, type, Length(line));
            case '*' or '~' or '>':
                return new(type, "", ReadMany(from, Length(line)));
            case '%':
                return new(type, "", ReadMany(from, 2 * Length(line)));
            case '|':
                ReadMany(from, 2 * Length(line));
                return Read(from, isInside: true);
            default:
                throw new FormatException($"value of {type}");
        }
    }

    private static PlainReply ReadPayload(Stream from, char type, long length)
    {
        if (type == '=' && length < 4)
            throw new FormatException("format");
        var text = new StringBuilder();
        for (var i = 0L; i < length; i++)
            text.Append((char)ReadByte(from, "payload"));
        var (cr, lf) = (ReadByte(from, "payload's end"), ReadByte(from, "payload's end"));
        if (cr != '\r' || lf != '\n')
            throw new FormatException("payload's end");
        if (type == '=' && text[3] != ':')
            throw new FormatException("format");
        return new(type, text.ToString(), []);
    }

    private static List<PlainReply> ReadMany(Stream from, long count)
    {
        var items = new List<PlainReply>();
        for (var i = 0L; i < count; i++)
            items.Add(Read(from, isInside: true));
        return items;
    }

    private static string ReadLine(Stream from)
    {
        var line = new StringBuilder();
        while (true)
        {
            var c = ReadByte(from, "line");
            if (c == '\n')
                throw new FormatException("line feed");
            if (c == '\r')
                break;
            line.Append((char)c);
        }
        return ReadByte(from, "line's end") == '\n' ? line.ToString() : throw new FormatException("line's end");
    }

    private static long Length(string digits) => digits.Length <= 10 && digits.All(char.IsAsciiDigit) && digits.Length > 0
        ? long.Parse(digits, CultureInfo.InvariantCulture)
        : throw new FormatException("length");

    private static int ReadByte(Stream from, string what)
    {
        var b = from.ReadByte();
        return b >= 0 ? b : throw new EndOfStreamException(what);
    }
}
