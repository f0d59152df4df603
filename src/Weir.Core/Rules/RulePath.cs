using System.Security.Cryptography;
using System.Text;

namespace Weir;

/// <summary>
/// Writes the place of a rule in its domain as text: <c>user=alice/path</c>. What would be ambiguous is written as %XX, so two places never have
/// the same path, and the path is printable ASCII, so it can serve as the rule's name.
/// </summary>
internal static class RulePath
{
    private const int MaxNameLength = 128;

    public static string Append(string parent, string key, string? value)
    {
        var text = new StringBuilder(parent);
        if (parent.Length > 0)
            text.Append('/');
        Escape(key, "%/=", text);
        if (value is not null)
            Escape(value, "%/", text.Append('='));
        return text.ToString();
    }

    /// <summary>The name of a rule that was given none: its path, or for a long one its beginning and a hash of the whole.</summary>
    public static string ToName(string path)
    {
        if (path.Length <= MaxNameLength)
            return path;
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(path)).AsSpan(0, 4));
        return $"{path.AsSpan(0, MaxNameLength - 9)}~{hash}";
    }

    private static void Escape(string text, string reserved, StringBuilder target)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.IsAscii && !Rune.IsControl(rune) && !reserved.Contains((char)rune.Value))
                target.Append((char)rune.Value);
            else
                EscapeBytes(rune, target);
        }
    }

    private static void EscapeBytes(Rune rune, StringBuilder target)
    {
        Span<byte> bytes = stackalloc byte[4];
        foreach (var b in bytes[..rune.EncodeToUtf8(bytes)])
            target.Append($"%{b:X2}");
    }
}
