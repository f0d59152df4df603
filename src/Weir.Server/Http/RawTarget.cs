using System.Text.Unicode;
using Weir.Server.Deciding;

namespace Weir.Server.Http;

/// <summary>
/// Reads the key and the cost of <c>/rate-limit/{key}?cost=n</c> from the request target as it was sent, because the server's decoded path leaves
/// <c>%2F</c> and broken UTF-8 as they are.
/// </summary>
internal static class RawTarget
{
    private const string Prefix = "/rate-limit/";

    /// <summary>
    /// Whether a target is a key's, judged as it was sent: the server's path has folded away <c>/..</c>, so that the key <c>..</c> would be answered by some
    /// other page, and that page's 200 be taken for a permission.
    /// </summary>
    public static bool IsKey(ReadOnlySpan<char> target) => PathOf(target).StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Decodes the key into <paramref name="key"/>.</summary>
    /// <param name="target">The raw request target; <see cref="IsKey"/> is true of it.</param>
    /// <param name="key">Room for <see cref="RuleBounds.MaxKeyBytes"/> bytes at least.</param>
    /// <param name="cost">The cost, 1 unless the query says otherwise.</param>
    /// <returns>Bytes of the key.</returns>
    /// <exception cref="InputException">Key or query are not what they should be.</exception>
    public static int Parse(ReadOnlySpan<char> target, Span<byte> key, out int cost)
    {
        var rest = PathOf(target)[Prefix.Length..];
        var question = rest.IndexOf('?');
        cost = question < 0 ? 1 : ParseQuery(rest[(question + 1)..]);
        return DecodeKey(question < 0 ? rest : rest[..question], key[..RuleBounds.MaxKeyBytes]);
    }

    /// <summary>Decodes a percent-encoded key.</summary>
    public static int DecodeKey(ReadOnlySpan<char> text, Span<byte> key)
    {
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (length == key.Length)
                throw TooLong(null);
            var c = text[i];
            if (c == '/')
                throw new InputException("key", "contains '/'. Write it as %2F.");
            if (c == '%')
            {
                key[length++] = Hex(text, i);
                i += 2;
            }
            else
            {
                key[length++] = (byte)c;
            }
        }
        Check(key[..length]);
        return length;
    }

    /// <summary>Checks a key given as bytes.</summary>
    /// <exception cref="InputException">It is empty, too long or not UTF-8.</exception>
    public static void Check(ReadOnlySpan<byte> key)
    {
        if (key.IsEmpty)
            throw new InputException("key", $"is empty. Give 1 to {RuleBounds.MaxKeyBytes} bytes of UTF-8.");
        if (key.Length > RuleBounds.MaxKeyBytes)
            throw TooLong(key.Length);
        if (!Utf8.IsValid(key))
            throw new InputException("key", "is not valid UTF-8. Percent-encode the UTF-8 bytes of the text.");
    }

    // Path and query. A target may also be a whole URL, as proxies write it.
    private static ReadOnlySpan<char> PathOf(ReadOnlySpan<char> target)
    {
        if (target.StartsWith('/'))
            return target;
        var scheme = target.IndexOf("://", StringComparison.Ordinal);
        var rest = scheme < 0 ? [] : target[(scheme + 3)..];
        var end = rest.IndexOfAny('/', '?');
        return end < 0 ? [] : rest[end..];
    }

    private static InputException TooLong(int? bytes) =>
        new("key", $"is {(bytes is null ? $"more than {RuleBounds.MaxKeyBytes}" : bytes)} bytes long and may be {RuleBounds.MaxKeyBytes}. Send a hash of it instead.");

    private static byte Hex(ReadOnlySpan<char> text, int at)
    {
        if (at + 2 < text.Length && char.IsAsciiHexDigit(text[at + 1]) && char.IsAsciiHexDigit(text[at + 2]))
            return (byte)((Digit(text[at + 1]) << 4) | Digit(text[at + 2]));
        throw new InputException("key", $"'{text[at..Math.Min(text.Length, at + 3)]}' is not a percent-encoded byte. Write a plain % as %25.");
    }

    private static int Digit(char c) => c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;

    private static int ParseQuery(ReadOnlySpan<char> query)
    {
        int? cost = null;
        foreach (var range in query.Split('&'))
        {
            var pair = query[range];
            if (pair.IsEmpty)
                continue;
            var equals = pair.IndexOf('=');
            var name = equals < 0 ? pair : pair[..equals];
            if (!name.SequenceEqual("cost"))
                throw new InputException(name.ToString(), "is not a query parameter of this call; cost is the only one.");
            if (cost is not null)
                throw new InputException("cost", "is given twice. Give it once.");
            cost = InputRanges.Cost("cost", equals < 0 ? "" : pair[(equals + 1)..]);
        }
        return cost ?? 1;
    }
}
