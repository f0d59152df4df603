namespace Weir.Core.Tests.Rules;

public sealed class RuleExplainerTests
{
    private const string Rules = """
        domain: web
        descriptors:
          - key: user
            value: alice
            rate_limit: { name: alice, limit: 1, window: 1s }
            descriptors:
              - key: path
                value: /admin
                rate_limit: { name: alice-admin, limit: 1, window: 1s }
          - key: user
            value: "al*"
            rate_limit: { name: al, limit: 1, window: 1s }
          - key: user
            value: "a*"
            rate_limit: { name: a, limit: 1, window: 1s }
          - key: user
            descriptors:
              - key: path
                rate_limit: { name: path, limit: 1, window: 1s }
          - key: ip
            value: 10.0.0.1
        """;

    private static string Explain(string descriptor, string domain = "web")
    {
        var steps = RulesText.Parse(Rules).Explain(domain, RulesText.Descriptor(descriptor)).Steps;
        return string.Join('\n', steps.Select(s => string.Join('\n', s.Notes.Select(n => $"  {n}").Prepend(s.Title))));
    }

    [Theory]
    [InlineData("user=alice", """
        user=alice: takes user=alice (rules.yaml:3)
          Not user=al* (rules.yaml:10): it fits, but an exact value comes before patterns.
          Not user=a* (rules.yaml:13): it fits, but an exact value comes before patterns.
          Not user (rules.yaml:16): a key without a value is the last resort.
        Rule 'alice' applies
          The descriptor ends here. Below it are limits for one more entry: path.
        """)]
    [InlineData("user=alfred", """
        user=alfred: takes user=al* (rules.yaml:10)
          No exact value 'alfred' stands here, and this pattern is the first in the file that fits.
          Not user=a* (rules.yaml:13): it fits, but stands later in the file.
          Not user (rules.yaml:16): a key without a value is the last resort.
        Rule 'al' applies
        """)]
    [InlineData("user=Alice", """
        user=Alice: takes user (rules.yaml:16)
          No exact value 'Alice' and no pattern fits, so the key without a value is taken.
          Not user=alice (rules.yaml:3): upper and lower case matter.
        No rule: the descriptor ends at a level that has no rate_limit
          Below it are limits for one more entry: path.
        """)]
    [InlineData("user=alice path=/", """
        user=alice: takes user=alice (rules.yaml:3)
          Not user=al* (rules.yaml:10): it fits, but an exact value comes before patterns.
          Not user=a* (rules.yaml:13): it fits, but an exact value comes before patterns.
          Not user (rules.yaml:16): a key without a value is the last resort.
        No rule: nothing below user=alice (rules.yaml:3) fits path=/
          Key 'path' has here: /admin. None fits, and there is no 'path' without a value.
          Rule 'path' at rules.yaml:18 would fit, but a branch once taken is not left again.
          Cure: repeat that limit below the branch taken, or make the taken branch less broad.
        """)]
    [InlineData("user=alvin path=/", """
        user=alvin: takes user=al* (rules.yaml:10)
          No exact value 'alvin' stands here, and this pattern is the first in the file that fits.
          Not user=a* (rules.yaml:13): it fits, but stands later in the file.
          Not user (rules.yaml:16): a key without a value is the last resort.
        No rule: the descriptor has 2 entries, but the tree ends after 1
          A rate_limit applies only to descriptors that end exactly where it stands; user=al* (rules.yaml:10) has no descriptors below it.
          Rule 'al' there would apply without path=/ and what follows it.
          Rule 'path' at rules.yaml:18 would fit, but a branch once taken is not left again.
          Cure: repeat that limit below the branch taken, or make the taken branch less broad.
        """)]
    [InlineData("user=alice path=/admim", """
        user=alice: takes user=alice (rules.yaml:3)
          Not user=al* (rules.yaml:10): it fits, but an exact value comes before patterns.
          Not user=a* (rules.yaml:13): it fits, but an exact value comes before patterns.
          Not user (rules.yaml:16): a key without a value is the last resort.
        No rule: nothing below user=alice (rules.yaml:3) fits path=/admim
          Key 'path' has here: /admin. None fits, and there is no 'path' without a value.
          Near miss: path=/admin (rules.yaml:7); the spelling differs.
          Rule 'path' at rules.yaml:18 would fit, but a branch once taken is not left again.
          Cure: repeat that limit below the branch taken, or make the taken branch less broad.
        """)]
    [InlineData("User=alice", """
        No rule: nothing at the top of domain 'web' fits User=alice
          Keys here are: user, ip.
          Near miss: 'user'; upper and lower case matter.
        """)]
    [InlineData("ip=10.0.0.1", """
        ip=10.0.0.1: takes ip=10.0.0.1 (rules.yaml:20)
        No limit: ip=10.0.0.1 (rules.yaml:20) has neither rate_limit nor descriptors, which exempts it
        """)]
    public void Explain_SaysWhichBranchAndWhyNotTheOthers(string descriptor, string expected) => Assert.Equal(expected, Explain(descriptor));

    [Fact]
    public void Explain_UnknownDomain_NamesTheKnownOnes() =>
        Assert.Equal("There is no domain 'wep'\n  Domains are: web.\n  Did you mean 'web'?", Explain("a=b", "wep"));

    [Fact]
    public void Explain_ManyOverlappingPatterns_EndsSoon()
    {
        // Six levels of five patterns that all fit are 15,625 ways, none of which ends in a limit.
        var tree = "[{key: b}]";
        for (var i = 0; i < 6; i++)
            tree = "[" + string.Join(", ", Enumerable.Range(1, 5).Select(n => $"{{key: a, value: '{new string('*', n)}', descriptors: {tree}}}")) + "]";

        var rules = RulesText.Parse($"domain: d\ndescriptors: {tree}\n");

        Assert.Equal(MatchKind.NoMatch, rules.Explain("d", RulesText.Descriptor("a=1 a=1 a=1 a=1 a=1 a=1 a=1")).Kind);
    }
}
