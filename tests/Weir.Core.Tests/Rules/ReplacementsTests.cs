namespace Weir.Core.Tests.Rules;

public sealed class ReplacementsTests
{
    private static Rule Rule(string name, params string[] replaces) => Weir.Rule.Create(new RuleOptions { Name = name, Replaces = replaces });

    private static string Apply(params Rule?[] rules)
    {
        Replacements.Apply(rules);
        return string.Join(' ', rules.Select(r => r?.Name ?? "-"));
    }

    [Fact]
    public void Apply_DropsReplacedRules_InEitherOrder()
    {
        Assert.Equal("- special", Apply(Rule("base"), Rule("special", "base")));
        Assert.Equal("special -", Apply(Rule("special", "base"), Rule("base")));
    }

    [Fact]
    public void Apply_AReplacedRuleStillReplaces() =>
        Assert.Equal("- - c", Apply(Rule("a"), Rule("b", "a"), Rule("c", "b")));

    [Fact]
    public void Apply_TwoThatReplaceEachOther_DropsBoth() =>
        Assert.Equal("- -", Apply(Rule("a", "b"), Rule("b", "a")));

    [Fact]
    public void Apply_UnlimitedRule_Replaces()
    {
        var vip = Weir.Rule.Create(new RuleOptions { Name = "vip", Unlimited = true, Replaces = ["base"] });

        Assert.Equal("- vip -", Apply(Rule("base"), vip, Rule("base")));
    }

    [Fact]
    public void Apply_WithoutReplaces_KeepsAll_AndAllocatesNothing()
    {
        Rule?[] rules = [Rule("a"), null, Rule("b"), Rule("c", "x")];
        Replacements.Apply(rules);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var dropped = Replacements.Apply(rules);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(0, dropped);
        Assert.Equal("a - b c", string.Join(' ', rules.Select(r => r?.Name ?? "-")));
    }

    [Fact]
    public void Apply_WithTheMostCharges_Works()
    {
        var rules = Enumerable.Repeat<Rule?>(Rule("base"), ILimiter.MaxCharges).ToArray();
        rules[^1] = Rule("special", "base");

        Assert.Equal(ILimiter.MaxCharges - 1, Replacements.Apply(rules));
        Assert.NotNull(rules[^1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => Replacements.Apply(new Rule?[ILimiter.MaxCharges + 1]));
    }

    // The published replaces scenario: a banned pair refuses alone and is lifted by an override in the same request.
    [Fact]
    public void Apply_OnAParsedDomain_LiftsTheBan()
    {
        var rules = RulesText.Parse("""
            domain: rl
            descriptors:
              - key: foo
                descriptors:
                  - key: bar
                    value: banned
                    rate_limit: { name: banned_limit, unit: minute, requests_per_unit: 0 }
              - key: source_cluster
                value: proxy
                descriptors:
                  - key: destination_cluster
                    value: override
                    rate_limit:
                      replaces: [{ name: banned_limit }]
                      unit: minute
                      requests_per_unit: 2
            """);
        Rule?[] matched =
        [
            rules.Match("rl", RulesText.Descriptor("foo=x bar=banned")).Rule,
            rules.Match("rl", RulesText.Descriptor("source_cluster=proxy destination_cluster=override")).Rule,
        ];

        Assert.Equal(1, Replacements.Apply(matched));
        Assert.Null(matched[0]);
        Assert.Equal(2, matched[1]!.Permits);
    }
}
