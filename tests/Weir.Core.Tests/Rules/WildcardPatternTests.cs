using System.Text.RegularExpressions;

namespace Weir.Core.Tests.Rules;

public sealed class WildcardPatternTests
{
    [Theory]
    [InlineData("*", "", true)]
    [InlineData("*", "anything", true)]
    [InlineData("**", "", true)]
    [InlineData("a*", "a", true)]
    [InlineData("a*", "A", false)]
    [InlineData("a*", "ba", false)]
    [InlineData("*a", "ba", true)]
    [InlineData("a*a", "a", false)]
    [InlineData("a*a", "aa", true)]
    [InlineData("/api*v1", "/api/users/v1", true)]
    [InlineData("/api*v1", "/api/users/v1/x", false)]
    [InlineData("s*e*r", "service-endpoint-rpcr", true)]
    [InlineData("*ab*ab*", "ab-a", false)]
    [InlineData("a.c*", "abc", false)]
    public void Matches_StarStandsForAnyCharacters(string pattern, string value, bool expected) =>
        Assert.Equal(expected, new WildcardPattern(pattern).Matches(value));

    [Fact]
    public void Matches_AgreesWithARegularExpression_OnEveryShortText()
    {
        var values = Words("ab", 6).ToList();
        foreach (var pattern in Words("ab*", 5).Where(WildcardPattern.IsPattern))
        {
            var oracle = new Regex($"^{Regex.Escape(pattern).Replace(@"\*", ".*", StringComparison.Ordinal)}\\z", RegexOptions.NonBacktracking);
            var wildcard = new WildcardPattern(pattern);
            Assert.All(values, value => Assert.True(oracle.IsMatch(value) == wildcard.Matches(value), $"'{pattern}' and '{value}'"));
        }
    }

    private static IEnumerable<string> Words(string letters, int longest)
    {
        IEnumerable<string> words = [""];
        for (var length = 0; length <= longest; length++)
        {
            foreach (var word in words)
                yield return word;
            words = [.. words.SelectMany(w => letters.Select(l => w + l))];
        }
    }
}
