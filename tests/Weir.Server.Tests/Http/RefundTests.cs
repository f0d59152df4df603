namespace Weir.Server.Tests.Http;

/// <summary><c>POST /refund</c>: giving back what was taken.</summary>
public sealed class RefundTests
{
    [Fact]
    public async Task Refund_WithItsReceipt_GivesBackWhatWasTakenOnce()
    {
        await using var node = await RunningNode.StartAsync();
        await node.GetAsync("/rate-limit/alice?cost=5");
        node.Time.Advance(TimeSpan.FromSeconds(1));
        var taken = await node.GetAsync("/rate-limit/alice?cost=10");

        Assert.Equal(10, await RefundAsync(node, $$"""{"key":"alice","cost":10,"receipt":"{{taken.String("receipt")}}"}"""));
        Assert.Equal(95, await node.RemainingAsync("alice"));
        Assert.Equal(0, await RefundAsync(node, $$"""{"key":"alice","cost":10,"receipt":"{{taken.String("receipt")}}"}"""));
        Assert.Equal(95, await node.RemainingAsync("alice"));
    }

    [Fact]
    public async Task Refund_WithoutReceipt_TakesTheCallersWord()
    {
        await using var node = await RunningNode.StartAsync();
        await node.GetAsync("/rate-limit/alice?cost=5");

        Assert.Equal(1, await RefundAsync(node, """{"key":"alice"}"""));
        Assert.Equal(4, await RefundAsync(node, """{"key":"alice","cost":100}"""));
        Assert.Equal(0, await RefundAsync(node, """{"key":"alice","cost":1}"""));
        Assert.Equal(0, await RefundAsync(node, """{"key":"nobody","cost":1}"""));
        Assert.Equal(100, await node.RemainingAsync("alice"));
        Assert.Equal(100, await node.RemainingAsync("nobody"));
    }

    [Fact]
    public async Task Refund_OfWhatTimeHasGivenBack_GivesNothing()
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_LIMIT", "10"));
        var receipt = (await node.GetAsync("/rate-limit/alice?cost=5")).String("receipt");
        node.Time.Advance(TimeSpan.FromSeconds(61));
        await node.GetAsync("/rate-limit/alice?cost=5");

        Assert.Equal(0, await RefundAsync(node, $$"""{"key":"alice","cost":5,"receipt":"{{receipt}}"}"""));
        Assert.Equal(5, await node.RemainingAsync("alice"));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("1")]
    [InlineData("-1")]
    [InlineData("9223372036854775807")]
    [InlineData("-9223372036854775808")]
    public async Task Refund_WithAForeignReceipt_GivesNothing(string receipt)
    {
        foreach (var algorithm in new[] { "sliding-window", "token-bucket", "fixed-window", "sliding-counter", "concurrency" })
        {
            await using var node = await RunningNode.StartAsync(("DEFAULT_LIMIT", "10"), ("DEFAULT_ALGORITHM", algorithm));
            await node.GetAsync("/rate-limit/bob?cost=5");
            await node.GetAsync("/rate-limit/alice?cost=5");

            var back = await RefundAsync(node, $$"""{"key":"alice","cost":5,"receipt":"{{receipt}}"}""");

            // A token bucket and the counting windows know a time, not a request; they give back at most what is still counted.
            Assert.InRange(back, 0, 5);
            if (algorithm is "sliding-window")
                Assert.Equal(0, back);
            Assert.Equal(5 + back, await node.RemainingAsync("alice"));
            Assert.Equal(5, await node.RemainingAsync("bob"));
        }
    }

    [Fact]
    public async Task Refund_OfALimitOfItsOwn_GoesToThatCounter()
    {
        await using var node = await RunningNode.StartAsync();
        await node.PostAsync("/check", """{"key":"alice","cost":3,"limit":5,"window_ms":1000}""");
        await node.GetAsync("/rate-limit/alice?cost=3");

        Assert.Equal(2, await RefundAsync(node, """{"key":"alice","cost":2,"limit":5,"window_ms":1000}"""));
        Assert.Equal(97, await node.RemainingAsync("alice"));
        Assert.Equal(4, (await node.PostAsync("/check", """{"key":"alice","cost":0,"limit":5,"window_ms":1000}""")).Number("remaining"));
    }

    [Fact]
    public async Task Refund_OfDescriptors_GivesBackToEachLimit()
    {
        await using var node = await RunningNode.WithRulesAsync("""
            domain: default
            descriptors:
              - { key: user, rate_limit: { name: u, limit: 5, window: 1m } }
              - { key: ip, rate_limit: { name: i, limit: 3, window: 1m } }
            """);
        const string both = """[{"entries":[{"key":"user","value":"a"}]},{"entries":[{"key":"ip","value":"1"}]}]""";
        var taken = await node.PostAsync("/check", $$"""{"descriptors":{{both}},"cost":2}""");

        Assert.Equal(2, await RefundAsync(node, $$"""{"descriptors":{{both}},"cost":2,"receipt":"{{taken.String("receipt")}}"}"""));
        var look = await node.PostAsync("/check", $$"""{"descriptors":{{both}},"cost":0}""");
        Assert.Equal([5, 3], look.Json.GetProperty("statuses").EnumerateArray().Select(s => s.GetProperty("remaining").GetInt32()));
    }

    // What a quota refused was charged to the other quota alone: giving it back to both would let the first be exceeded.
    [Theory]
    [InlineData("fixed-window")]
    [InlineData("sliding-window")]
    [InlineData("token-bucket")]
    public async Task Refund_OfARequestThatOnlyOneQuotaTook_GivesNothingToTheOther(string algorithm)
    {
        await using var node = await RunningNode.WithRulesAsync($$"""
            domain: default
            descriptors:
              - { key: month, quota_mode: true, rate_limit: { name: m, algorithm: {{algorithm}}, limit: 2, window: 1d } }
              - { key: extra, quota_mode: true, rate_limit: { name: e, algorithm: {{algorithm}}, limit: 9, window: 1d } }
            """);
        await CheckDescriptorsTests.CheckAsync(node, "month=a", "extra=a");
        await CheckDescriptorsTests.CheckAsync(node, "month=a", "extra=a");
        var taken = await CheckDescriptorsTests.CheckAsync(node, "month=a", "extra=a");
        Assert.Equal("e", taken.String("rule"));

        Assert.Equal(1, await RefundAsync(node, $$"""
            {"descriptors":[{"entries":[{"key":"month","value":"a"}]},{"entries":[{"key":"extra","value":"a"}]}],"receipt":"{{taken.String("receipt")}}"}
            """));
        Assert.Equal(429, (await CheckDescriptorsTests.CheckAsync(node, "month=a")).Status);
        Assert.Equal(6, (await CheckDescriptorsTests.CheckAsync(node, "extra=a")).Number("remaining"));
    }

    [Fact]
    public async Task Refund_OfAsManyLimitsAsARequestMayHave_TakesItsReceipt()
    {
        await using var node = await RunningNode.WithRulesAsync("domain: default\ndescriptors:\n- {key: user, rate_limit: {limit: 5, window: 1m}}\n");
        var all = string.Join(',', Enumerable.Range(0, 64).Select(i => $$"""{"entries":[{"key":"user","value":"{{i}}"}]}"""));
        var receipt = (await node.PostAsync("/check", $$"""{"descriptors":[{{all}}]}""")).String("receipt")!;

        Assert.Equal(64, receipt.Split('.').Length);
        Assert.Equal(1, await RefundAsync(node, $$"""{"descriptors":[{{all}}],"receipt":"{{receipt}}"}"""));
        Assert.Equal(0, (await node.GetAsync("/api/counters")).Json.GetProperty("counters").GetArrayLength());
    }

    private static async Task<long> RefundAsync(RunningNode node, string body)
    {
        var reply = await node.PostAsync("/refund", body);
        Assert.True(reply.Status == 200, reply.ToString());
        Assert.Equal("refunded", reply.Fields);
        return reply.Number("refunded");
    }
}
