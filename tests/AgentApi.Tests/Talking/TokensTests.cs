using System.Text;
using AgentApi.Data;
using AgentApi.Talking;

namespace AgentApi.Tests.Talking;

public sealed class TokensTests
{
    [Theory]
    [InlineData("", 1)]
    [InlineData("abcd", 1)]
    [InlineData("abcde", 2)]
    [InlineData("ä🦫", 2)]
    public void Count_IsByBytes(string text, int tokens) => Assert.Equal(tokens, Tokens.Count(text));

    [Fact]
    public void Cut_NeverCostsMore_AndNeverBreaksALetter()
    {
        var random = new Random(7);
        for (var i = 0; i < 2_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(30)).Select(_ => new[] { "a", "ä", "€", "🦫", "\u202e" }[random.Next(5)]));
            var most = random.Next(1, 12);

            var cut = Tokens.Cut(text, most);

            Assert.StartsWith(cut, text, StringComparison.Ordinal);
            Assert.InRange(Tokens.Count(cut), 1, most);
            Assert.Equal(cut, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(cut)));
            // One letter more would not fit.
            if (cut.Length < text.Length)
                Assert.True(Encoding.UTF8.GetByteCount(cut) + Rune.GetRuneAt(text, cut.Length).Utf8SequenceLength > 4 * most);
        }
    }

    [Fact]
    public void Answer_QuotesNoHalfLetter_AndIsTheSameEachTime()
    {
        var memory = new Recollection(4, new string('x', 199) + "🦫 and more", "before");

        var answer = Assistant.Answer("well?", memory, 4_096);

        Assert.Equal(answer, Assistant.Answer("well?", memory, 4_096));
        Assert.Contains(new string('x', 199) + "…", answer.Text);
        Assert.Contains("Before this you said: before", answer.Text);
    }
}
