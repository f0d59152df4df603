using System.Text;
using Weir.Server.Rules;
using Weir.Server.Tests.Http;

namespace Weir.Server.Tests.Management;

/// <summary><c>/api/rules</c> and <c>/api/explain</c>.</summary>
public sealed class RulesCallsTests
{
    private const string First = "domain: default\ndescriptors:\n- {key: key, value: alice, rate_limit: {name: first, limit: 1, window: 1m}}\n";
    private const string Second = "domain: default\ndescriptors:\n- {key: key, value: alice, rate_limit: {name: second, limit: 5, window: 1m}}\n- {key: user, rate_limit: {limit: 5, window: 1m}}\n";
    private const string Wrong = "domain: default\ndescriptors:\n- {key: key, value: alice, rate_limit: {limit: -1, window: 1m}}\n- {kee: user}\n";

    [Fact]
    public async Task Get_ShowsTheFilesAsTheyAre()
    {
        await using var node = await RunningNode.WithRulesAsync(First);

        var reply = await node.GetAsync("/api/rules");

        Assert.Equal("version source loaded_at rules files last_error warnings", reply.Fields);
        Assert.Equal((1, node.RulesPath, "2026-01-01T00:00:00Z", true), (reply.Number("version"), reply.String("source"), reply.String("loaded_at"), reply.IsNull("last_error")));
        Assert.Equal(First, reply.Json.GetProperty("files")[0].GetProperty("text").GetString());
        Assert.Equal("first", reply.Json.GetProperty("rules")[0].GetProperty("name").GetString());
    }

    [Fact]
    public async Task Get_WithoutRules_SaysSo()
    {
        await using var node = await RunningNode.StartAsync();

        var reply = await node.GetAsync("/api/rules");

        Assert.Equal((1, "none", 0, 0), (reply.Number("version"), reply.String("source"), reply.Json.GetProperty("rules").GetArrayLength(), reply.Json.GetProperty("files").GetArrayLength()));
    }

    [Fact]
    public async Task Put_TakesEffectAtOnceAndKeepsWhatWasUsed()
    {
        await using var node = await RunningNode.WithRulesAsync(First);
        await node.GetAsync("/rate-limit/alice");

        var put = await node.SendAsync(HttpMethod.Put, "/api/rules", Second);
        var next = await node.GetAsync("/rate-limit/alice");

        Assert.Equal((200, """{"version":2,"rules":2}"""), (put.Status, put.Text));
        Assert.Equal((200, "second", 3), (next.Status, next.String("rule"), next.Number("remaining")));
        Assert.Equal("PUT /api/rules", (await node.GetAsync("/api/rules")).String("source"));
    }

    [Fact]
    public async Task Put_OfWrongRules_LeavesTheOldInForceAndListsEveryProblem()
    {
        await using var node = await RunningNode.WithRulesAsync(First);

        var put = await node.SendAsync(HttpMethod.Put, "/api/rules", Wrong);

        Assert.Contains("the old ones stay in force", put.Problem(400));
        var problems = put.Json.GetProperty("problems").EnumerateArray().Select(p => p.GetString()!).ToList();
        Assert.Contains(problems, p => p.StartsWith("body:3:", StringComparison.Ordinal) && p.Contains("-1"));
        Assert.Contains(problems, p => p.StartsWith("body:4:", StringComparison.Ordinal) && p.Contains("kee"));
        Assert.Equal(1, (await node.GetAsync("/api/rules")).Number("version"));
        Assert.Equal("first", (await node.GetAsync("/rate-limit/alice")).String("rule"));
    }

    [Fact]
    public async Task Put_LastsUntilTheFileChanges()
    {
        await using var node = await RunningNode.WithRulesAsync(First);
        await node.SendAsync(HttpMethod.Put, "/api/rules", Second);
        node.Time.Advance(RulesWatcher.Period * 3);
        Assert.Equal("second", (await node.GetAsync("/rate-limit/alice?cost=0")).String("rule"));

        await File.WriteAllTextAsync(node.RulesPath, First + "\n");
        node.Time.Advance(RulesWatcher.Period * 3);

        Assert.Equal("first", (await node.GetAsync("/rate-limit/alice?cost=0")).String("rule"));
        Assert.Equal((3, node.RulesPath), await node.GetAsync("/api/rules") is var r ? (r.Number("version"), r.String("source")) : default);
    }

    [Fact]
    public async Task BadFile_IsToldAndLeavesTheOldInForce()
    {
        await using var node = await RunningNode.WithRulesAsync(First);

        await File.WriteAllTextAsync(node.RulesPath, Wrong);
        node.Time.Advance(RulesWatcher.Period * 3);

        var reply = await node.GetAsync("/api/rules");
        Assert.Equal(1, reply.Number("version"));
        Assert.Contains("rules.yaml:3:", reply.String("last_error"));
        Assert.Contains("rules.yaml:4:", reply.String("last_error"));
        Assert.Equal("first", (await node.GetAsync("/rate-limit/alice")).String("rule"));
        Assert.Contains("ratelimiter_rules_reloads_total{result=\"failure\"} 1\n", (await node.GetAsync("/metrics")).Text);
    }

    [Fact]
    public async Task Validate_ChangesNothing()
    {
        await using var node = await RunningNode.WithRulesAsync(First);

        var good = await node.PostAsync("/api/rules/validate", Second);
        var bad = await node.PostAsync("/api/rules/validate", Wrong);

        Assert.Equal((200, true, 2), (good.Status, good.Flag("valid"), good.Number("rules")));
        Assert.Equal((200, false), (bad.Status, bad.Flag("valid")));
        Assert.InRange(bad.Json.GetProperty("problems").GetArrayLength(), 2, 9);
        Assert.Equal(1, (await node.GetAsync("/api/rules")).Number("version"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\t")]
    [InlineData("hello")]
    [InlineData("[]")]
    [InlineData("{{{{")]
    [InlineData("domain: default\ndomain: default\n")]
    public async Task Text_ThatIsNoRules_IsRefused(string text)
    {
        await using var node = await RunningNode.WithRulesAsync(First);

        var put = await node.SendAsync(HttpMethod.Put, "/api/rules", text);

        put.Problem(400);
        Assert.NotEqual(0, put.Json.GetProperty("problems").GetArrayLength());
        Assert.False((await node.PostAsync("/api/rules/validate", text)).Flag("valid"));
        Assert.Equal(1, (await node.GetAsync("/api/rules")).Number("version"));
    }

    [Fact]
    public async Task Text_ThatIsNotUtf8OrTooLarge_IsRefused()
    {
        await using var node = await RunningNode.StartAsync();

        Assert.Contains("UTF-8", (await node.PostAsync("/api/rules/validate", new ByteArrayContent(Encoding.Latin1.GetBytes("domain: é")))).Problem(400, "body"));
        Assert.Contains("1,048,576 bytes", (await node.PostAsync("/api/rules/validate", new string('#', 1_048_577))).Problem(413, "body"));
        Assert.Contains("too_large\"} 1\n", (await node.GetAsync("/metrics")).Text);
    }

    [Theory]
    [InlineData("""{"key":"alice"}""", true, "first")]
    [InlineData("""{"key":"bob"}""", true, "default")]
    [InlineData("""{"entries":[{"key":"key","value":"alice"}]}""", true, "first")]
    [InlineData("""{"domain":"default","entries":[{"key":"key","value":"bob"}]}""", false, null)]
    [InlineData("""{"domain":"none","entries":[{"key":"key","value":"alice"}]}""", false, null)]
    [InlineData("""{"entries":[{"key":"key"}]}""", false, null)]
    public async Task Explain_NamesTheRuleAndWhy(string body, bool matched, string? rule)
    {
        await using var node = await RunningNode.WithRulesAsync(First);

        var reply = await node.PostAsync("/api/explain", body);

        Assert.Equal((200, "matched rule steps", matched), (reply.Status, reply.Fields, reply.Flag("matched")));
        Assert.Equal(rule, matched ? reply.Json.GetProperty("rule").GetProperty("name").GetString() : null);
        Assert.NotEqual(0, reply.Json.GetProperty("steps").GetArrayLength());
    }

    [Fact]
    public async Task Explain_OfAKeyWithALimitOfItsOwn_ShowsThatLimit()
    {
        await using var node = await RunningNode.WithRulesAsync(First);
        await node.SendAsync(HttpMethod.Put, "/api/limits/alice", """{"limit":42}""");

        var reply = await node.PostAsync("/api/explain", """{"key":"alice"}""");

        Assert.Equal(42, reply.Json.GetProperty("rule").GetProperty("limit").GetInt32());
        Assert.Contains("limit of its own", reply.Json.GetProperty("steps")[0].GetString());
    }

    [Theory]
    [InlineData("", "body")]
    [InlineData("{}", "entries")]
    [InlineData("""{"key":"a","entries":[{"key":"a"}]}""", "entries")]
    [InlineData("""{"key":"a","domain":"b"}""", "entries")]
    [InlineData("""{"key":""}""", "key")]
    [InlineData("""{"key":5}""", "key")]
    [InlineData("""{"entries":[]}""", "entries")]
    [InlineData("""{"entries":[null]}""", "entries[0]")]
    [InlineData("""{"entries":[{}]}""", "entries[0].key")]
    [InlineData("""{"entries":[{"key":"a","vaule":"b"}]}""", "entries[0].vaule")]
    [InlineData("""{"key":"\ud800"}""", "key")]
    [InlineData("""{"kye":"a"}""", "kye")]
    public async Task Explain_OfNonsense_IsRefused(string body, string field)
    {
        await using var node = await RunningNode.StartAsync();

        var detail = (await node.PostAsync("/api/explain", body)).Problem(400, field);

        Assert.DoesNotContain("Weir.", detail);
        Assert.DoesNotContain("System.", detail);
    }
}
