namespace Weir.Core.Tests.Rules;

public sealed class RuleSetTests
{
    private const string Messages = """
        domain: mail
        descriptors:
          - key: plan
            value: paid
            descriptors:
              - key: sender
                rate_limit: { name: paid, unit: minute, requests_per_unit: 50 }
              - key: sender
                value: "noreply@*"
                rate_limit: { name: robots, unit: hour, requests_per_unit: 7 }
              - key: sender
                value: boss@example.com
          - key: plan
            descriptors:
              - key: sender
                rate_limit: { name: free, unit: day, requests_per_unit: 3 }
          - key: country
            value: "n*"
            rate_limit: { name: north, unit: second, requests_per_unit: 5 }
          - key: country
            value: "*"
            rate_limit: { name: any, unit: second, requests_per_unit: 6 }
          - key: country
            value: no
            rate_limit: { name: norway, unit: second, requests_per_unit: 4 }
          - key: tenant
            rate_limit: { name: tenant, limit: 9, window: 1m }
            descriptors:
              - key: tenant
                rate_limit: { name: nested, limit: 2, window: 1m }
        """;

    private static readonly RuleSet Rules = RulesText.Parse(Messages);

    [Theory]
    [InlineData("plan=paid sender=ann", "paid")]
    [InlineData("plan=paid sender=noreply@shop", "robots")]
    [InlineData("plan=paid sender=boss@example.com", "Whitelisted")]
    [InlineData("plan=trial sender=ann", "free")]
    [InlineData("plan sender=ann", "free")]
    [InlineData("plan=paid", "NoMatch")]
    [InlineData("plan=paid receiver=ann", "NoMatch")]
    [InlineData("plan=paid sender=ann subject=hello", "NoMatch")]
    [InlineData("sender=ann", "NoMatch")]
    [InlineData("Plan=paid sender=ann", "NoMatch")]
    [InlineData("plan=Paid sender=ann", "free")]
    [InlineData("sender=ann plan=paid", "NoMatch")]
    [InlineData("country=no", "norway")]
    [InlineData("country=nl", "north")]
    [InlineData("country=n", "north")]
    [InlineData("country=de", "any")]
    [InlineData("country", "any")]
    [InlineData("tenant=x", "tenant")]
    [InlineData("tenant=x tenant=y", "nested")]
    [InlineData("tenant=x tenant=y tenant=z", "NoMatch")]
    public void Match_TakesExactThenPatternThenBareKey(string descriptor, string expected)
    {
        var match = Rules.Match("mail", RulesText.Descriptor(descriptor));

        Assert.Equal(expected, match.Rule?.Name ?? match.Kind.ToString());
        Assert.Equal(match.Rule is not null, match.Kind == MatchKind.Matched);
        var explanation = Rules.Explain("mail", RulesText.Descriptor(descriptor));
        Assert.Equal(match.Kind, explanation.Kind);
        Assert.Same(match.Rule, explanation.Rule);
    }

    [Fact]
    public void Match_OnceABranchIsTaken_DoesNotTryTheGenericOne()
    {
        var rules = RulesText.Parse("""
            domain: d
            descriptors:
              - key: user
                value: alice
                descriptors:
                  - key: path
                    value: /admin
                    rate_limit: { limit: 1, window: 1s }
              - key: user
                descriptors:
                  - key: path
                    rate_limit: { limit: 2, window: 1s }
            """);

        Assert.Equal(MatchKind.NoMatch, rules.Match("d", RulesText.Descriptor("user=alice path=/")).Kind);
        Assert.Equal(2, rules.Match("d", RulesText.Descriptor("user=bob path=/")).Rule!.Permits);
    }

    [Fact]
    public void Match_KeyWithUnderscore_IsNotConfusedWithKeyAndValue()
    {
        var rules = RulesText.Parse("""
            domain: d
            descriptors:
              - key: a_b
                rate_limit: { name: joined, limit: 1, window: 1s }
              - key: a
                value: b
                rate_limit: { name: apart, limit: 1, window: 1s }
              - key: a
                value: "x_*"
                rate_limit: { name: pattern, limit: 1, window: 1s }
            """);

        Assert.Equal("joined", rules.Match("d", RulesText.Descriptor("a_b=anything")).Rule!.Name);
        Assert.Equal("apart", rules.Match("d", RulesText.Descriptor("a=b")).Rule!.Name);
        Assert.Equal("pattern", rules.Match("d", RulesText.Descriptor("a=x_1")).Rule!.Name);
        Assert.Equal(MatchKind.NoMatch, rules.Match("d", RulesText.Descriptor("a_x=1")).Kind);
    }

    [Fact]
    public void Match_UnknownDomainAndEmptyDescriptor_AreToldApart()
    {
        Assert.Equal(MatchKind.UnknownDomain, Rules.Match("post", RulesText.Descriptor("a=b")).Kind);
        Assert.Equal(MatchKind.UnknownDomain, RuleSet.Empty.Match("mail", RulesText.Descriptor("a=b")).Kind);
        Assert.Equal(MatchKind.NoMatch, Rules.Match("mail", new Descriptor([])).Kind);
        Assert.True(Rules.HasDomain("mail"));
        Assert.False(Rules.HasDomain("Mail"));
    }

    [Fact]
    public void Rules_StandInFileOrder_ParentsFirst()
    {
        Assert.Equal(["paid", "robots", "free", "north", "any", "norway", "tenant", "nested"], Rules.Rules.Select(r => r.Name));
        Assert.Equal(["mail"], Rules.Domains);
    }

    [Fact]
    public void Match_ZeroRequestsPerUnit_IsARuleThatRefuses()
    {
        var rules = RulesText.Parse(RulesText.WithLimit("unit: hour"));

        var rule = rules.Match("d", RulesText.Descriptor("a=1")).Rule!;
        Assert.Equal((0, AlgorithmKind.FixedWindow, TimeSpan.FromHours(1)), (rule.Permits, rule.Algorithm, rule.Window));
    }

    [Fact]
    public void MatchKey_AsksDomainDefaultForKey()
    {
        var rules = RulesText.Parse("""
            domain: default
            descriptors:
              - key: key
                value: alice
                rate_limit: { name: alice, limit: 1, window: 1s }
              - key: key
                value: "bot-*"
                share_threshold: true
                rate_limit: { name: bots, limit: 1, window: 1s }
              - key: key
                value: root
            """);

        Assert.True(rules.HasKeyRules);
        Assert.Equal("alice", rules.MatchKey("alice").Rule!.Name);
        Assert.Equal("bots", rules.MatchKey("bot-7").Rule!.Name);
        Assert.Equal("bot-*", rules.MatchKey("bot-7").SharedValue(0));
        Assert.Equal(MatchKind.Whitelisted, rules.MatchKey("root").Kind);
        Assert.Equal(MatchKind.NoMatch, rules.MatchKey("bob").Kind);
    }

    [Theory]
    [InlineData("domain: default\ndescriptors:\n- key: user\n")]
    [InlineData("domain: other\ndescriptors:\n- key: key\n")]
    public void HasKeyRules_WithoutKeyInDomainDefault_IsFalse(string yaml)
    {
        var rules = RulesText.Parse(yaml);

        Assert.False(rules.HasKeyRules);
        Assert.Equal(MatchKind.NoMatch, rules.MatchKey("alice").Kind);
        Assert.False(RuleSet.Empty.HasKeyRules);
    }

    [Fact]
    public void Match_DoesNotAllocate()
    {
        var rules = RulesText.Parse(Messages + "\n---\ndomain: default\ndescriptors:\n- {key: key, value: 'a*', rate_limit: {limit: 1, window: 1s}}\n");
        var descriptor = RulesText.Descriptor("plan=paid sender=noreply@shop");
        var found = 0;
        long Run()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 1000; i++)
                found += (rules.Match("mail", descriptor).Rule is null ? 0 : 1) + (rules.MatchKey("alice").Rule is null ? 0 : 1);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Run();
        Assert.Equal(0, Run());
        Assert.Equal(4000, found);
    }

    [Fact]
    public void SharedThreshold_CountsUnderThePattern_AtEveryLevel()
    {
        var rules = RulesText.Parse("""
            domain: d
            descriptors:
              - key: dir
                value: /img/*
                share_threshold: true
                descriptors:
                  - key: user
                    rate_limit: { name: images, limit: 5, window: 1m }
              - key: dir
                value: /doc/*
                descriptors:
                  - key: user
                    value: g*
                    share_threshold: true
                    rate_limit: { name: documents, limit: 5, window: 1m }
              - key: dir
                value: /plain/*
                share_threshold: false
                rate_limit: { name: plain, limit: 5, window: 1m }
            """);

        var images = RulesText.Descriptor("dir=/img/1 user=ann");
        var match = rules.Match("d", images);
        Assert.True(match.IsShared);
        Assert.Equal(RulesText.Descriptor("dir=/img/* user=ann").Entries, match.CounterEntries(images));
        var documents = RulesText.Descriptor("dir=/doc/1 user=gus");
        Assert.Equal(RulesText.Descriptor("dir=/doc/1 user=g*").Entries, rules.Match("d", documents).CounterEntries(documents));
        var plain = RulesText.Descriptor("dir=/plain/1");
        Assert.False(rules.Match("d", plain).IsShared);
        Assert.Same(plain.Entries, rules.Match("d", plain).CounterEntries(plain));
    }
}
