using System.Text.Json;

namespace Weir.Server.Tests.Http;

/// <summary><c>POST /check</c> by descriptors: several limits in one decision.</summary>
public sealed class CheckDescriptorsTests
{
    private const string Rules = """
        domain: default
        descriptors:
          - key: user
            rate_limit: { name: per-user, limit: 5, window: 1m }
          - key: user
            value: vip
            rate_limit: { name: vip, limit: 50, window: 1m, replaces: [{ name: per-ip }] }
          - key: ip
            rate_limit: { name: per-ip, limit: 3, window: 10s }
            descriptors:
              - key: path
                rate_limit: { name: ip-and-path, limit: 1, window: 10s }
          - key: page
            value: "/login*"
            share_threshold: true
            rate_limit: { name: logins, limit: 2, window: 10s }
          - key: month
            quota_mode: true
            rate_limit: { name: monthly, algorithm: fixed-window, limit: 2, window: 30d }
          - key: extra
            quota_mode: true
            rate_limit: { name: extra, algorithm: fixed-window, limit: 3, window: 30d }
          - key: trial
            shadow_mode: true
            rate_limit: { name: trial, limit: 1, window: 1m }
          - key: staff
          - key: free
            rate_limit: { unlimited: true }
        """;

    [Fact]
    public async Task One_WhenAllowed_HasEveryField()
    {
        await using var node = await RunningNode.WithRulesAsync(Rules);

        var reply = await node.PostAsync("/check", """{"domain":"default","descriptors":[{"entries":[{"key":"user","value":"alice"}]},{"entries":[{"key":"ip","value":"1"}],"cost":2}]}""");

        Assert.Equal((200, "allowed domain rule limit remaining reset_ms retry_after_ms source receipt statuses"), (reply.Status, reply.Fields));
        Assert.Equal(("default", "per-ip", 3, 1), (reply.String("domain"), reply.String("rule"), reply.Number("limit"), reply.Number("remaining")));
        Assert.Equal("\"per-ip\";r=1;t=10", reply.Header("RateLimit"));
        Assert.Equal(
            """[{"allowed":true,"rule":"per-user","limit":5,"remaining":4,"reset_ms":60000,"retry_after_ms":0},{"allowed":true,"rule":"per-ip","limit":3,"remaining":1,"reset_ms":10000,"retry_after_ms":0}]""",
            reply.Json.GetProperty("statuses").GetRawText());
    }

    [Fact]
    public async Task One_WhenALimitRefuses_ChargesNone()
    {
        await using var node = await RunningNode.WithRulesAsync(Rules);
        for (var i = 0; i < 3; i++)
            Assert.Equal(200, (await CheckAsync(node, "user=alice", "ip=1")).Status);

        var refused = await CheckAsync(node, "user=alice", "ip=1");
        var other = await CheckAsync(node, "user=alice", "ip=2");

        Assert.Equal((429, "10", "per-ip"), (refused.Status, refused.Header("Retry-After"), refused.String("rule")));
        Assert.Equal("[\"per-ip\"]", refused.Json.GetProperty("violated-policies").GetRawText());
        Assert.Equal("True:2 False:0", Statuses(refused));
        Assert.Equal("True:1 True:2", Statuses(other));
    }

    [Fact]
    public async Task Statuses_StandInTheOrderOfTheDescriptorsAlsoWhereNoRuleMatches()
    {
        await using var node = await RunningNode.WithRulesAsync(Rules);

        var reply = await CheckAsync(node, "none=x", "ip=1", "staff=x", "free=x", "user=a");

        Assert.Equal("per-ip", reply.String("rule"));
        var statuses = reply.Json.GetProperty("statuses").EnumerateArray().ToList();
        Assert.Equal([null, "per-ip", null, null, "per-user"], statuses.Select(s => s.GetProperty("rule").GetString()));
        Assert.All(statuses.Where(s => s.GetProperty("rule").ValueKind == JsonValueKind.Null), s =>
            Assert.Equal("True Null", $"{s.GetProperty("allowed").GetBoolean()} {s.GetProperty("limit").ValueKind}"));
    }

    [Fact]
    public async Task One_ThatMatchesNothing_IsAllowedWithoutLimitHeaders()
    {
        await using var node = await RunningNode.WithRulesAsync(Rules);

        var reply = await CheckAsync(node, "none=x");

        Assert.Equal((200, true), (reply.Status, reply.IsNull("rule") && reply.IsNull("limit")));
        Assert.Null(reply.Header("X-RateLimit-Limit"));
        Assert.Null(reply.Header("RateLimit"));
        Assert.Equal(0, (await node.GetAsync("/api/counters")).Number("total"));
    }

    [Fact]
    public async Task Replaces_PutsTheOtherRuleOutOfForceForThatRequestOnly()
    {
        await using var node = await RunningNode.WithRulesAsync(Rules);

        for (var i = 1; i <= 10; i++)
            Assert.Equal((200, $"True:{50 - i} True:4294967295"), await CheckAsync(node, "user=vip", "ip=1") is var r ? (r.Status, Statuses(r)) : default);
        Assert.Equal("True:2", Statuses(await CheckAsync(node, "ip=1")));
    }

    [Fact]
    public async Task Path_OfTwoEntries_CountsApartFromItsParent()
    {
        await using var node = await RunningNode.WithRulesAsync(Rules);

        Assert.Equal((200, 429, 200, 200), (
            (await CheckAsync(node, "ip=1 path=/a")).Status,
            (await CheckAsync(node, "ip=1 path=/a")).Status,
            (await CheckAsync(node, "ip=1 path=/b")).Status,
            (await CheckAsync(node, "ip=1")).Status));
    }

    [Fact]
    public async Task ShareThreshold_LetsAllValuesThatFitShareOneCounter()
    {
        await using var node = await RunningNode.WithRulesAsync(Rules);

        Assert.Equal(200, (await CheckAsync(node, "page=/login/a")).Status);
        Assert.Equal(200, (await CheckAsync(node, "page=/login/b")).Status);
        Assert.Equal(429, (await CheckAsync(node, "page=/login")).Status);
    }

    [Fact]
    public async Task Quotas_RefuseOnlyAllTogether()
    {
        await using var node = await RunningNode.WithRulesAsync(Rules);
        await CheckAsync(node, "month=a", "extra=a");
        await CheckAsync(node, "month=a", "extra=a");

        var oneLeft = await CheckAsync(node, "month=a", "extra=a");
        var none = await CheckAsync(node, "month=a", "extra=a");

        Assert.Equal((200, "extra", "False:0 True:0"), (oneLeft.Status, oneLeft.String("rule"), Statuses(oneLeft)));
        Assert.Equal((429, "False:0 False:0"), (none.Status, Statuses(none)));
    }

    [Fact]
    public async Task Shadow_SaysWhatItWouldRefuseAndNeverDoes()
    {
        await using var node = await RunningNode.WithRulesAsync(Rules);

        var first = await CheckAsync(node, "trial=a", "user=a");
        var second = await CheckAsync(node, "trial=a", "user=a");
        var alone = await CheckAsync(node, "trial=a");

        Assert.Equal((200, 200, 200), (first.Status, second.Status, alone.Status));
        Assert.Equal("per-user", second.String("rule"));
        Assert.Equal(["False", "True", "True"], new[] { first, second, alone }.Select(r => r.Json.GetProperty("statuses")[0].GetProperty("would_refuse").GetBoolean().ToString()));
        Assert.False(second.Json.GetProperty("statuses")[1].TryGetProperty("would_refuse", out _));
        Assert.Equal("True:0 True:3", Statuses(second));
    }

    [Fact]
    public async Task Cost_OfADescriptorWinsOverThatOfTheRequest()
    {
        await using var node = await RunningNode.WithRulesAsync(Rules);

        var reply = await node.PostAsync("/check", """{"cost":3,"descriptors":[{"entries":[{"key":"user","value":"a"}]},{"entries":[{"key":"ip","value":"1"}],"cost":0}]}""");

        Assert.Equal("True:2 True:3", Statuses(reply));
    }

    [Fact]
    public async Task SameCounterTwice_IsChargedTwice()
    {
        await using var node = await RunningNode.WithRulesAsync(Rules);

        Assert.Equal("True:2 True:1", Statuses(await CheckAsync(node, "ip=1", "ip=1")));
        Assert.Equal(429, (await CheckAsync(node, "ip=1", "ip=1")).Status);
        Assert.Equal("True:0", Statuses(await CheckAsync(node, "ip=1")));
    }

    [Fact]
    public async Task Many_MayMixKeysAndDescriptors()
    {
        await using var node = await RunningNode.WithRulesAsync(Rules);

        var reply = await node.PostAsync("/check", """{"checks":[{"key":"a"},{"descriptors":[{"entries":[{"key":"ip","value":"9"}],"cost":4}]},{"descriptors":[{"entries":[{"key":"ip","value":"9"}]}]}]}""");

        var results = reply.Json.GetProperty("results");
        Assert.Equal("status allowed domain rule limit remaining reset_ms retry_after_ms source policy statuses", Reply.FieldsOf(results[1]));
        Assert.Equal((429, JsonValueKind.Null), (results[1].GetProperty("status").GetInt32(), results[1].GetProperty("retry_after_ms").ValueKind));
        Assert.Equal((200, 2), (results[2].GetProperty("status").GetInt32(), results[2].GetProperty("remaining").GetInt32()));
    }

    internal static Task<Reply> CheckAsync(RunningNode node, params string[] descriptors) => node.PostAsync("/check", JsonSerializer.Serialize(new
    {
        descriptors = descriptors.Select(d => new { entries = d.Split(' ').Select(e => new { key = e.Split('=')[0], value = e.Split('=')[1] }) }),
    }));

    private static string Statuses(Reply reply) => string.Join(' ', reply.Json.GetProperty("statuses").EnumerateArray()
        .Select(s => $"{s.GetProperty("allowed").GetBoolean()}:{s.GetProperty("remaining").GetInt64()}"));
}
