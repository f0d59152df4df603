namespace Weir.Core.Tests.Rules;

public sealed class RulesParserTests
{
    private static Rule Limit(params string[] lines) => Assert.Single(RulesText.Parse(RulesText.WithLimit(lines)).Rules);

    [Theory]
    [InlineData("second", 1)]
    [InlineData("MINUTE", 60)]
    [InlineData("Hour", 3600)]
    [InlineData("day", 86_400)]
    [InlineData("week", 7 * 86_400)]
    [InlineData("month", 30 * 86_400)]
    [InlineData("year", 365 * 86_400)]
    public void Unit_IsAFixedWindowAlignedToTheEpoch(string unit, long seconds)
    {
        var rule = Limit($"unit: {unit}", "requests_per_unit: 7");

        Assert.Equal((AlgorithmKind.FixedWindow, 7, TimeSpan.FromSeconds(seconds)), (rule.Algorithm, rule.Permits, rule.Window));
        Assert.Null(rule.Calendar);
    }

    [Fact]
    public void RequestsPerUnit_GoesToTheEndOfUnsigned32Bit() =>
        Assert.Equal(uint.MaxValue, Limit("unit: hour", "requests_per_unit: 4294967295").Permits);

    [Fact]
    public void LimitAndWindow_AreASlidingWindow()
    {
        var rule = Limit("limit: 1_000", "window: 1h30m");

        Assert.Equal((AlgorithmKind.SlidingWindow, 1000, TimeSpan.FromMinutes(90)), (rule.Algorithm, rule.Permits, rule.Window));
        Assert.Equal((FailurePolicy.Closed, false, false, false), (rule.Failure, rule.Shadow, rule.Quota, rule.Unlimited));
    }

    [Fact]
    public void EveryKeyOfOurs_HasItsEffect()
    {
        var bucket = Limit("name: login tries", "algorithm: token-bucket", "limit: 10", "window: 10s", "burst: 30", "failure: Local", "shadow: yes");

        Assert.Equal(("login tries", AlgorithmKind.TokenBucket, 30), (bucket.Name, bucket.Algorithm, bucket.Burst));
        Assert.Equal((FailurePolicy.Local, true), (bucket.Failure, bucket.Shadow));
        var month = Limit("limit: 10", "calendar: month", "time_zone: Europe/Berlin");
        Assert.Equal((AlgorithmKind.FixedWindow, CalendarUnit.Month, "Europe/Berlin"), (month.Algorithm, month.Calendar!.Unit, month.Calendar.Zone.Id));
    }

    [Fact]
    public void Algorithm_GoesWithUnitToo()
    {
        var rule = Limit("algorithm: token-bucket", "unit: minute", "requests_per_unit: 60", "burst: 5");

        Assert.Equal((AlgorithmKind.TokenBucket, 60, 5), (rule.Algorithm, rule.Permits, rule.Burst));
    }

    [Fact]
    public void Unlimited_WithFalse_IsALimit()
    {
        Assert.True(Limit("unlimited: true").Unlimited);
        Assert.False(Limit("unlimited: false", "unit: second", "requests_per_unit: 3").Unlimited);
        Assert.True(Limit("unlimited: true", "requests_per_unit: 3").Unlimited);
    }

    [Fact]
    public void Name_DefaultsToThePlace()
    {
        var rules = RulesText.Parse("""
            domain: d
            descriptors:
              - key: user
                value: älice
                descriptors:
                  - key: path
                    rate_limit: { limit: 1, window: 1s }
              - key: user
                rate_limit: { name: everyone, limit: 1, window: 1s }
            """);

        Assert.Equal(["user=%C3%A4lice/path", "everyone"], rules.Rules.Select(r => r.Name));
        Assert.Equal(["user=%C3%A4lice/path", "user"], rules.Rules.Select(r => r.Path));
    }

    [Fact]
    public void DescriptorFlags_HaveTheirEffect()
    {
        var rules = RulesText.Parse("""
            domain: d
            descriptors:
              - key: a
                shadow_mode: true
                detailed_metric: true
                value_to_metric: false
                metadata: { team: { name: search, 0.25: anything }, team: twice }
                rate_limit: { limit: 1, window: 1s }
              - key: b
                quota_mode: true
                rate_limit: { limit: 1, window: 1s }
            """);

        Assert.Equal([(true, false), (false, true)], rules.Rules.Select(r => (r.Shadow, r.Quota)));
    }

    [Theory]
    [InlineData("value: 5", "5")]
    [InlineData("value: no", "no")]
    [InlineData("value: 0x1F", "0x1F")]
    [InlineData("value: '1.50'", "1.50")]
    [InlineData("value: !!str 1.50", "1.50")]
    [InlineData("value: 10.0.0.1", "10.0.0.1")]
    [InlineData("value: ''", null)]
    public void Value_IsTextAsItIsWritten(string line, string? value)
    {
        var rules = RulesText.Parse($"domain: d\ndescriptors:\n- key: a\n  {line}\n  rate_limit: {{limit: 1, window: 1s}}\n");

        Assert.Equal(value is null ? "a" : $"a={value}", Assert.Single(rules.Rules).Path);
    }

    [Fact]
    public void Documents_OfOneFile_AreDomains()
    {
        var rules = RulesText.Parse("---\ndomain: a\ndescriptors: []\n---\n---\ndomain: b\ndescriptors:\n- key: x\n  rate_limit: {limit: 1, window: 1s}\n---\n");

        Assert.Equal(["a", "b"], rules.Domains);
        Assert.Equal("b", Assert.Single(rules.Rules).Domain);
    }

    [Fact]
    public void Files_AreMergedIntoOneSet()
    {
        var result = RulesParser.Parse(new RulesFile("one.yaml", "domain: a\ndescriptors: [{key: x}]"), new RulesFile("two.yaml", "domain: b\ndescriptors: [{key: x}]"));

        Assert.Equal(["a", "b"], result.Rules!.Domains);
        Assert.Empty(RulesParser.Parse().Rules!.Domains);
    }

    [Fact]
    public void AnchorsAndMergeKeys_AreFollowed()
    {
        var rules = RulesText.Parse("""
            x-limits:
              slow: &slow { limit: 1, window: 1m, failure: open }
              quick: &quick { limit: 9, window: 1s, failure: local }
            domain: d
            descriptors:
              - &login
                key: path
                value: /login
                rate_limit: { <<: *slow, name: login, limit: 5 }
              - <<: *login
                value: /signup
                rate_limit: { name: signup, <<: [*quick, *slow] }
              - key: plain
                rate_limit: *slow
            """);

        Assert.Equal(["path=%2Flogin", "path=%2Fsignup", "plain"], rules.Rules.Select(r => r.Path));
        Assert.Equal(["5 1m Open", "9 1s Local", "1 1m Open"], rules.Rules.Select(r => $"{r.Permits} {Durations.Format(r.WindowMicros)} {r.Failure}"));
    }

    [Fact]
    public void ByteOrderMarkAndWindowsLineEnds_AreAccepted() =>
        Assert.Equal(["d"], RulesText.Parse("\uFEFFdomain: d\r\ndescriptors:\r\n- key: a\r\n").Domains);

    [Fact]
    public void Warnings_SayWhatHasNoEffect()
    {
        var result = RulesParser.Parse(new RulesFile("r.yaml", """
            domain: d
            descriptors:
              - key: a
                shadow_mode: true
                rate_limit: { limit: 1, window: 1s, replaces: [{ name: nobody }] }
              - key: b
                quota_mode: true
            """));

        Assert.NotNull(result.Rules);
        Assert.Equal(
            [
                "r.yaml:5:41: No rule of domain 'd' is named 'nobody', so replacing it has no effect.",
                "r.yaml:7:5: quota_mode has no effect on a descriptor without rate_limit.",
            ],
            result.Warnings.Select(w => w.ToString()));
    }
}
