using System.Text.RegularExpressions;

namespace Weir.Core.Tests.Rules;

/// <summary>The examples of docs/rules.md are rules that work.</summary>
public sealed partial class RulesDocumentationTests
{
    private static readonly string Text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "rules.md"));

    public static IEnumerable<TheoryDataRow<int, string>> Examples =>
        Block().Matches(Text).Select(m => new TheoryDataRow<int, string>(Text[..m.Index].Count(c => c == '\n') + 1, m.Groups["yaml"].Value));

    [Theory]
    [MemberData(nameof(Examples))]
    public void Example_IsAccepted(int line, string yaml)
    {
        var result = RulesParser.Parse(new RulesFile($"rules.md, block at line {line}", yaml));

        Assert.Empty(result.Problems);
        Assert.Empty(result.Warnings);
        Assert.NotEmpty(result.Rules!.Rules);
    }

    [Fact]
    public void EveryKey_IsDocumented()
    {
        var keys = Yaml.RuleKeys.File.Names.Concat(Yaml.RuleKeys.Descriptor.Names).Concat(Yaml.RuleKeys.RateLimit.Names);

        Assert.All(keys, key => Assert.True(Text.Contains($"`{key}`", StringComparison.Ordinal) || Text.Contains($"\n{key}:", StringComparison.Ordinal), key));
        Assert.True(Examples.Count() >= 7);
    }

    [GeneratedRegex("^```yaml\n(?<yaml>.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Block();
}
