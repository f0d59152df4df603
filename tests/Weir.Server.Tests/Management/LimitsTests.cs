using System.Text.Json;
using Weir.Server.Tests.Http;

namespace Weir.Server.Tests.Management;

/// <summary><c>/api/limits</c>: limits of single keys.</summary>
public sealed class LimitsTests
{
    [Fact]
    public async Task Limits_ShowTheDefaultTheRulesAndTheOverrides()
    {
        await using var node = await RunningNode.WithRulesAsync("domain: web\ndescriptors:\n- {key: user, shadow_mode: true, rate_limit: {name: users, limit: 6, window: 10s, failure: open}}\n");
        await PutAsync(node, "b", """{"limit":5,"window_ms":1000}""");
        await PutAsync(node, "a", """{"limit":7,"algorithm":"token-bucket","burst":9}""");

        var limits = await node.GetAsync("/api/limits");

        Assert.Equal("default rules overrides", limits.Fields);
        Assert.Equal(
            """{"domain":"default","name":"default","path":"default","algorithm":"sliding-window","limit":100,"window_ms":60000,"burst":100,"failure":"closed","shadow":false,"quota":false,"unlimited":false}""",
            limits.Json.GetProperty("default").GetRawText());
        Assert.Equal(
            """[{"domain":"web","name":"users","path":"user","algorithm":"sliding-window","limit":6,"window_ms":10000,"burst":6,"failure":"open","shadow":true,"quota":false,"unlimited":false}]""",
            limits.Json.GetProperty("rules").GetRawText());
        Assert.Equal(
            """[{"key":"a","limit":7,"window_ms":60000,"algorithm":"token-bucket","burst":9},{"key":"b","limit":5,"window_ms":1000,"algorithm":"sliding-window","burst":5}]""",
            limits.Json.GetProperty("overrides").GetRawText());
    }

    [Fact]
    public async Task Override_LimitsItsKeyAloneUntilItIsLifted()
    {
        await using var node = await RunningNode.StartAsync();

        var set = await PutAsync(node, "alice", """{"limit":2,"window_ms":5000}""");

        Assert.Equal((200, """{"key":"alice","limit":2,"window_ms":5000,"algorithm":"sliding-window","burst":2}"""), (set.Status, set.Text));
        Assert.Equal([(200, 2L, 1L), (200, 2, 0), (429, 2, 0)], [await TakeAsync(node, "alice"), await TakeAsync(node, "alice"), await TakeAsync(node, "alice")]);
        Assert.Equal((200, 100, 99), await TakeAsync(node, "bob"));
        node.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal((200, 2, 1), await TakeAsync(node, "alice"));
        var lifted = await node.SendAsync(HttpMethod.Delete, "/api/limits/alice");
        Assert.Equal((204, ""), (lifted.Status, lifted.Text));
        Assert.Equal(100, (await node.GetAsync("/rate-limit/alice?cost=0")).Number("limit"));
        Assert.Contains("'alice' has no limit of its own", (await node.SendAsync(HttpMethod.Delete, "/api/limits/alice")).Problem(404, "key"));
    }

    [Theory]
    [InlineData("""{"limit":5}""", 2)]
    [InlineData("""{"limit":3}""", 0)]
    [InlineData("""{"limit":1}""", 0)]
    [InlineData("""{"limit":0}""", 0)]
    [InlineData("""{"limit":5,"algorithm":"fixed-window"}""", 2)]
    [InlineData("""{"limit":5,"algorithm":"token-bucket","burst":10}""", 7)]
    [InlineData("""{"limit":5,"window_ms":30000}""", 2)]
    public async Task Override_KeepsWhatWasUsed(string body, long remaining)
    {
        await using var node = await RunningNode.StartAsync();
        await node.GetAsync("/rate-limit/alice?cost=3");

        await PutAsync(node, "alice", body);
        Assert.Equal(remaining == 0 ? 429 : 200, (await node.GetAsync("/rate-limit/alice")).Status);
        if (remaining > 0)
            Assert.Equal(remaining - 1, await node.RemainingAsync("alice"));
        await node.SendAsync(HttpMethod.Delete, "/api/limits/alice");

        Assert.InRange(await node.RemainingAsync("alice"), 96, 97);
    }

    [Fact]
    public async Task Override_WinsOverARuleForTheKey()
    {
        await using var node = await RunningNode.WithRulesAsync("domain: default\ndescriptors:\n- {key: key, value: alice, rate_limit: {name: hers, limit: 1, window: 1m}}\n- {key: key, value: staff}\n");
        await PutAsync(node, "alice", """{"limit":2}""");
        await PutAsync(node, "staff", """{"limit":2}""");

        Assert.Equal((200, 2, 1), await TakeAsync(node, "alice"));
        Assert.Equal((200, 2, 1), await TakeAsync(node, "staff"));
        await node.SendAsync(HttpMethod.Delete, "/api/limits/alice");
        Assert.Equal((200, 1, 0), await TakeAsync(node, "alice"));
    }

    [Theory]
    [InlineData("a%2Fb", "a/b")]
    [InlineData("100%25", "100%")]
    [InlineData("%252F", "%2F")]
    [InlineData("a%2Fb%252F", "a/b%2F")]
    [InlineData("caf%C3%A9", "café")]
    [InlineData("%F0%9F%98%80", "😀")]
    [InlineData("a+b%20c", "a+b c")]
    [InlineData("%3Cscript%3E%22%7B%7D", "<script>\"{}")]
    [InlineData("a%3Fb%23", "a?b#")]
    public async Task Override_OfAnEncodedKey_IsForThatKey(string encoded, string key)
    {
        await using var node = await RunningNode.StartAsync();

        var set = await PutAsync(node, encoded, """{"limit":2}""");

        Assert.True(set.Status == 200, set.ToString());
        Assert.Equal(key, set.String("key"));
        Assert.Equal(2, (await node.GetAsync($"/rate-limit/{encoded}")).Number("limit"));
        Assert.Equal(2, (await node.PostAsync("/check", JsonSerializer.Serialize(new { key }))).Number("limit"));
        Assert.Equal(204, (await node.SendAsync(HttpMethod.Delete, $"/api/limits/{encoded}")).Status);
    }

    [Theory]
    [InlineData("", "body", "is empty")]
    [InlineData("{", "body", "")]
    [InlineData("[]", "body", "")]
    [InlineData("null", "body", "must be a JSON object")]
    [InlineData("5", "body", "")]
    [InlineData("{}", "limit", "is missing")]
    [InlineData("""{"limit":null}""", "limit", "null must be a whole number")]
    [InlineData("""{"limit":-1}""", "limit", "'-1' must be a whole number from 0 to")]
    [InlineData("""{"limit":1.5}""", "limit", "")]
    [InlineData("""{"limit":1e3}""", "limit", "")]
    [InlineData("""{"limit":"5"}""", "limit", "")]
    [InlineData("""{"limit":1000001}""", "limit", "must be 0 to 1,000,000")]
    [InlineData("""{"limit":99999999999999999999}""", "limit", "")]
    [InlineData("""{"limit":5,"window_ms":0}""", "window_ms", "'0' must be a whole number from 1 to 31,622,400,000.")]
    [InlineData("""{"limit":5,"window_ms":-5}""", "window_ms", "'-5' must be")]
    [InlineData("""{"limit":5,"window_ms":31622400001}""", "window_ms", "must be a whole number from 1 to")]
    [InlineData("""{"limit":5,"window_ms":9223372036854775807}""", "window_ms", "must be a whole number from 1 to")]
    [InlineData("""{"limit":5,"window_ms":1.5}""", "window_ms", "")]
    [InlineData("""{"limit":5,"algorithm":"leaky"}""", "algorithm", "'leaky' is not one. Known: ")]
    [InlineData("""{"limit":5,"algorithm":7}""", "algorithm", "")]
    [InlineData("""{"limit":5,"burst":7}""", "burst", "is for token-bucket only")]
    [InlineData("""{"limit":5,"algorithm":"token-bucket","burst":0}""", "burst", "'0' must be a whole number from 1 to")]
    [InlineData("""{"limit":5,"algorithm":"sliding-counter","window_ms":50}""", "window_ms", "must be 100ms to")]
    [InlineData("""{"limit":5,"limti":5}""", "limti", "")]
    [InlineData("""{"limit":5,"limit":6}""", "limit", "")]
    [InlineData("""{"limit":5} x""", "body", "")]
    public async Task Override_ThatIsWrong_IsRefusedWithFieldAndCure(string body, string field, string cure)
    {
        await using var node = await RunningNode.StartAsync();

        var detail = (await PutAsync(node, "alice", body)).Problem(400, field);

        Assert.Contains(cure, detail);
        Assert.DoesNotContain("Weir.Server", detail);
        Assert.DoesNotContain("System.", detail);
        Assert.Equal(0, (await node.GetAsync("/api/limits")).Json.GetProperty("overrides").GetArrayLength());
    }

    [Fact]
    public async Task Override_OfAKeyThatIsNone_IsRefused()
    {
        await using var node = await RunningNode.StartAsync();

        foreach (var key in new[] { "%FF", "%C0%AF", "%zz", "%", new string('x', 513) })
        {
            using var connection = await node.ConnectAsync();
            await connection.SendAsync($"PUT /api/limits/{key} HTTP/1.1\r\nHost: node\r\nContent-Length: 11\r\n\r\n{{\"limit\":1}}");
            (await connection.ReadAsync()).Problem(400, "key");
        }
        Assert.Equal(0, (await node.GetAsync("/api/limits")).Json.GetProperty("overrides").GetArrayLength());
    }

    private static Task<Reply> PutAsync(RunningNode node, string key, string body) => node.SendAsync(HttpMethod.Put, $"/api/limits/{key}", body);

    private static async Task<(int, long, long)> TakeAsync(RunningNode node, string key)
    {
        var reply = await node.GetAsync($"/rate-limit/{key}");
        return (reply.Status, reply.Number("limit"), reply.Number("remaining"));
    }
}
