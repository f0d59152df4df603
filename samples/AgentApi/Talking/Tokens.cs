using System.Text;

namespace AgentApi.Talking;

/// <summary>Counts as language models are paid for: about four bytes of UTF-8 make a token.</summary>
internal static class Tokens
{
    private const int BytesPerToken = 4;

    /// <summary>How many tokens a text has: at least 1.</summary>
    public static int Count(string text) => OfBytes(Encoding.UTF8.GetByteCount(text));

    /// <summary>How many tokens so many bytes have: at least 1.</summary>
    public static int OfBytes(int bytes) => Math.Max(1, (bytes + BytesPerToken - 1) / BytesPerToken);

    /// <summary>The longest beginning of a text that has at most this many tokens.</summary>
    public static string Cut(string text, int maxTokens)
    {
        var (left, end) = (maxTokens * BytesPerToken, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            left -= rune.Utf8SequenceLength;
            if (left < 0)
                return text[..end];
            end += rune.Utf16SequenceLength;
        }
        return text;
    }
}
