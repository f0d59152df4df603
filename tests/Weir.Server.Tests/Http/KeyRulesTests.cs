namespace Weir.Server.Tests.Http;

/// <summary>Rules of domain <c>default</c> that speak about plain keys.</summary>
public sealed class KeyRulesTests
{
    private const string Rules = """
        domain: default
        descriptors:
          - key: key
            value: alice
            rate_limit: { name: 'al"ice\', limit: 2, window: 10s }
          - key: key
            value: "bot-*"
            rate_limit: { name: bots, algorithm: token-bucket, limit: 1, burst: 3, window: 1s }
          - key: key
            value: "shared-*"
            share_threshold: true
            rate_limit: { name: shared, limit: 2, window: 1m }
          - key: key
            value: staff
          - key: key
            value: free
            rate_limit: { unlimited: true }
          - key: key
            value: trial
            shadow_mode: true
            rate_limit: { name: trial, limit: 1, window: 1m }
          - key: key
            value: never
            rate_limit: { name: never, limit: 0, window: 1m }
        """;

    [Theory]
    [InlineData("alice", "al\"ice\\", 2, 1)]
    [InlineData("bot-7", "bots", 3, 2)]
    [InlineData("bot-", "bots", 3, 2)]
    [InlineData("shared-x", "shared", 2, 1)]
    [InlineData("Alice", "default", 100, 99)]
    [InlineData("bot", "default", 100, 99)]
    public async Task Key_IsLimitedByTheRuleThatFits(string key, string rule, long limit, long remaining)
    {
        await using var node = await RunningNode.WithRulesAsync(Rules);

        var reply = await node.GetAsync($"/rate-limit/{key}");

        Assert.Equal((200, rule, limit, remaining), (reply.Status, reply.String("rule"), reply.Number("limit"), reply.Number("remaining")));
        Assert.Equal(rule, StructuredField.ParseOne(reply.Header("RateLimit")).Value);
        Assert.Equal(rule, StructuredField.ParseOne(reply.Header("RateLimit-Policy")).Value);
        Assert.Equal(remaining - 1, (await node.PostAsync("/check", $$"""{"key":"{{key}}"}""")).Number("remaining"));
    }

    [Fact]
    public async Task Policy_OfABurst_GivesRateAndBurst()
    {
        await using var node = await RunningNode.WithRulesAsync(Rules);

        var policy = StructuredField.ParseOne((await node.GetAsync("/rate-limit/bot-1")).Header("RateLimit-Policy"));

        Assert.Equal((1L, 1L, 3L), ((long)policy.Parameter("q"), (long)policy.Parameter("w"), (long)policy.Parameter("weir-burst")));
    }

    [Theory]
    [InlineData("staff")]
    [InlineData("free")]
    [InlineData("trial")]
    public async Task Key_ThatIsExempt_IsAlwaysAllowedWithoutLimits(string key)
    {
        await using var node = await RunningNode.WithRulesAsync(Rules);
        Reply reply = null!;

        for (var i = 0; i < 150; i++)
            reply = await node.GetAsync($"/rate-limit/{key}?cost=2");

        Assert.Equal((200, true, true), (reply.Status, reply.IsNull("rule"), reply.IsNull("limit")));
        Assert.DoesNotContain(reply.HeaderNames, h => h.Contains("RateLimit", StringComparison.OrdinalIgnoreCase) || h == "Retry-After");
    }

    [Fact]
    public async Task Wildcard_CountsEachKeyApartUnlessItIsShared()
    {
        await using var node = await RunningNode.WithRulesAsync(Rules);

        Assert.Equal([1, 0, 1, 0], await RemainingAsync(node, "alice", "alice", "shared-a", "shared-b"));
        Assert.Equal([2, 1, 2], await RemainingAsync(node, "bot-1", "bot-1", "bot-2"));
        Assert.Equal((429, 429), ((await node.GetAsync("/rate-limit/shared-c")).Status, (await node.GetAsync("/rate-limit/alice")).Status));
    }

    [Fact]
    public async Task LimitOfZero_CanNeverFit()
    {
        await using var node = await RunningNode.WithRulesAsync(Rules);

        var reply = await node.GetAsync("/rate-limit/never");

        Assert.Equal((429, true), (reply.Status, reply.IsNull("retry_after_ms")));
        Assert.Null(reply.Header("Retry-After"));
    }

    [Fact]
    public async Task Rules_ThatSayNothingAboutKeys_LeaveThemToTheDefault()
    {
        await using var node = await RunningNode.WithRulesAsync("domain: default\ndescriptors:\n- key: user\n  rate_limit: {limit: 1, window: 1m}\n");

        Assert.Equal([99, 98], await RemainingAsync(node, "alice", "alice"));
    }

    private static async Task<List<long>> RemainingAsync(RunningNode node, params string[] keys)
    {
        var remaining = new List<long>();
        foreach (var key in keys)
            remaining.Add((await node.GetAsync($"/rate-limit/{key}")).Number("remaining"));
        return remaining;
    }
}
