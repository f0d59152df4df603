namespace Weir.Core.Tests.Rules;

/// <summary>Short ways to write rules and descriptors in tests.</summary>
internal static class RulesText
{
    public static RuleSet Parse(string yaml)
    {
        var result = RulesParser.Parse(new RulesFile("rules.yaml", yaml));
        Assert.Empty(result.Problems);
        return Assert.IsType<RuleSet>(result.Rules);
    }

    /// <summary>The problems of a text without their file name.</summary>
    public static string[] Problems(string yaml)
    {
        var result = RulesParser.Parse(new RulesFile("r", yaml));
        Assert.Equal(result.Problems.Count == 0, result.Rules is not null);
        return [.. result.Problems.Select(p => p.ToString()[2..])];
    }

    /// <summary>One descriptor of domain d with the given lines in its rate_limit, which begins on line 4.</summary>
    public static string WithLimit(params string[] lines) =>
        "domain: d\ndescriptors:\n- key: a\n  rate_limit:\n" + string.Concat(lines.Select(l => $"    {l}\n"));

    /// <summary>Reads <c>user=alice path=/login</c>.</summary>
    public static Descriptor Descriptor(string text) => new([.. text.Split(' ').Select(Entry)]);

    private static DescriptorEntry Entry(string text)
    {
        var at = text.IndexOf('=', StringComparison.Ordinal);
        return at < 0 ? new DescriptorEntry(text, "") : new DescriptorEntry(text[..at], text[(at + 1)..]);
    }
}
