using System.Text;

namespace Weir.Core.Tests.Rules;

/// <summary>Texts that are meant to exhaust a parser are refused quickly and with a message.</summary>
public sealed class RulesParserHostileTests
{
    [Theory]
    [InlineData("*")]
    [InlineData("<<")]
    public void AliasBomb_IsRefused(string kind)
    {
        var text = new StringBuilder("x-0: &x0 {a: b}\n");
        for (var i = 1; i < 60; i++)
        {
            var items = string.Join(", ", Enumerable.Repeat($"*x{i - 1}", 10));
            text.Append(kind == "*" ? $"x-{i}: &x{i} [{items}]\n" : $"x-{i}: &x{i} {{<<: [{items}]}}\n");
        }
        text.Append("domain: d\ndescriptors:\n- <<: *x59\n");

        Assert.Equal(
            ["1:1: Its aliases unfold this document to more than 100,000 additional values. Use fewer aliases."],
            RulesText.Problems(text.ToString()));
    }

    [Fact]
    public void Aliases_BelowTheBound_AreAccepted()
    {
        var text = new StringBuilder("x-limit: &limit {limit: 1, window: 1s}\ndomain: d\ndescriptors:\n");
        for (var i = 0; i < 10_000; i++)
            text.Append($"- {{key: user, value: u{i}, rate_limit: *limit}}\n");

        Assert.Equal(10_000, RulesText.Parse(text.ToString()).Rules.Count);
    }

    [Fact]
    public void ALargeFileWithoutAliases_IsAccepted()
    {
        var text = new StringBuilder("domain: d\ndescriptors:\n");
        for (var i = 0; i < 20_000; i++)
            text.Append($"- key: user\n  value: u{i}\n  rate_limit:\n    limit: {i}\n    window: 1m\n");

        Assert.Equal(20_000, RulesText.Parse(text.ToString()).Rules.Count);
    }

    [Fact]
    public void MergeChain_IsBoundedToo()
    {
        var text = new StringBuilder("x-0: &x0 {key: a}\n");
        for (var i = 1; i < 20_000; i++)
            text.Append($"x-{i}: &x{i} {{<<: *x{i - 1}}}\n");
        text.Append("domain: d\ndescriptors:\n- <<: *x19999\n");

        Assert.StartsWith("1:1: Its aliases unfold this document", Assert.Single(RulesText.Problems(text.ToString())), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData('[')]
    [InlineData('{')]
    public void DeepNesting_IsRefused(char bracket) =>
        Assert.EndsWith("nest deeper than 64 levels. Flatten them.", Assert.Single(RulesText.Problems(new string(bracket, 1_000_000))), StringComparison.Ordinal);

    [Theory]
    [InlineData(16, true)]
    [InlineData(17, false)]
    public void Descriptors_NestToSixteenLevels(int levels, bool isAccepted)
    {
        var text = new StringBuilder("domain: d\n");
        for (var i = 0; i < levels; i++)
            text.Append(new string(' ', i * 2)).Append("descriptors:\n").Append(new string(' ', i * 2)).Append("- key: a\n");
        string[] expected = isAccepted ? [] : ["34:33: Descriptors nest deeper than 16 levels. Flatten them."];

        Assert.Equal(expected, RulesText.Problems(text.ToString()));
    }

    [Fact]
    public void ATextOfNothingButMistakes_ListsTheFirstThousand()
    {
        var problems = RulesText.Problems("domain: d\ndescriptors:\n" + string.Concat(Enumerable.Repeat("- a\n", 100_000)));

        Assert.Equal(1_001, problems.Length);
        Assert.Equal(" There are 99,000 more problems. Mend the first ones and look again.", problems[^1]);
    }

    // Whatever is cut off or garbled, the parser answers with problems and never with an exception of its own.
    [Fact]
    public void EveryPrefixAndEveryGarbledByte_IsAnsweredWithProblemsOrRules()
    {
        const string Text = """
            x-l: &l {limit: 1, window: 1s}
            domain: "d"
            descriptors:
              - key: 'a'
                value: "x*"
                rate_limit: {<<: *l, name: n, replaces: [{name: m}]}
              - key: b   # comment
                rate_limit:
                  unit: minute
                  requests_per_unit: 5
            ---
            domain: |
              e
            descriptors: []
            """;
        RulesText.Parse(Text.Replace("|\n  e", "e", StringComparison.Ordinal));
        for (var at = 0; at < Text.Length; at++)
        {
            RulesText.Problems(Text[..at]);
            foreach (var c in "\t\n:[]{}*&!|>'\"%@`-? ~\0")
                RulesText.Problems(Text[..at] + c + Text[(at + 1)..]);
        }
    }
}
