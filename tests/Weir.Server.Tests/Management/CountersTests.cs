using System.Globalization;
using System.Text.Json;
using Weir.Server.Tests.Http;

namespace Weir.Server.Tests.Management;

/// <summary><c>/api/counters</c> and <c>/api/blocks</c>: what is counted now, and forgetting it.</summary>
public sealed class CountersTests
{
    [Fact]
    public async Task Counters_ShowEachCounterWhole()
    {
        await using var node = await RunningNode.WithRulesAsync("domain: web\ndescriptors:\n- {key: user, rate_limit: {name: users, algorithm: token-bucket, limit: 6, burst: 12, window: 1m}}\n");
        await node.GetAsync("/rate-limit/a%2Fb?cost=3");
        await node.PostAsync("/check", """{"domain":"web","descriptors":[{"entries":[{"key":"user","value":"é"}]}]}""");
        node.Time.Advance(TimeSpan.FromSeconds(4));

        var reply = await node.GetAsync("/api/counters");

        Assert.Equal("counters next_cursor total", reply.Fields);
        Assert.True(reply.IsNull("next_cursor"));
        Assert.Equal(2, reply.Number("total"));
        var counters = reply.Json.GetProperty("counters").EnumerateArray().OrderBy(c => c.GetProperty("key").GetString(), StringComparer.Ordinal).ToList();
        Assert.Matches("^[0-9a-f]{32}$", counters[0].GetProperty("id").GetString());
        Assert.Equal("""{"key":"a/b","domain":"default","rule":"default","algorithm":"sliding-window","count":3,"limit":100,"remaining":97,"window_ms":60000,"reset_ms":56000}""", WithoutId(counters[0]));
        Assert.Equal("""{"key":"user=é","domain":"web","rule":"users","algorithm":"token-bucket","count":1,"limit":12,"remaining":11,"window_ms":60000,"reset_ms":6000}""", WithoutId(counters[1]));
    }

    [Theory]
    [InlineData("/api/counters", "counters", 2500)]
    [InlineData("/api/blocks", "blocks", 1250)]
    public async Task Pages_TogetherShowEveryCounterOnce(string path, string list, int expected)
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_LIMIT", "2"));
        for (var from = 0; from < 2500; from += 500)
        {
            // Every second counter is full.
            var checks = Enumerable.Range(from, 500).Select(i => new { key = $"key-{i}", cost = 1 + (i % 2) });
            Assert.Equal(200, (await node.PostAsync("/check", JsonSerializer.Serialize(new { checks }))).Status);
        }
        foreach (var limit in new[] { 100, 999, 10_000 })
        {
            var seen = new List<string>();
            string? cursor = "0";
            while (cursor is not null)
            {
                var page = await node.GetAsync($"{path}?limit={limit}&cursor={cursor}");
                var keys = page.Json.GetProperty(list).EnumerateArray().Select(c => c.GetProperty("key").GetString()!).ToList();
                Assert.InRange(keys.Count, 0, limit);
                seen.AddRange(keys);
                cursor = page.String("next_cursor");
            }
            Assert.Equal(expected, seen.Count);
            Assert.Equal(expected, seen.Distinct(StringComparer.Ordinal).Count());
        }
    }

    [Fact]
    public async Task Page_WithoutBounds_HasAHundredAtMost()
    {
        await using var node = await RunningNode.StartAsync();
        await node.PostAsync("/check", JsonSerializer.Serialize(new { checks = Enumerable.Range(0, 300).Select(i => new { key = $"{i}" }) }));

        var page = await node.GetAsync("/api/counters");

        Assert.Equal((100, 300), (page.Json.GetProperty("counters").GetArrayLength(), page.Number("total")));
        Assert.NotNull(page.String("next_cursor"));
    }

    [Theory]
    [InlineData("limit=0", "limit", "'0' must be a whole number from 1 to 10,000.")]
    [InlineData("limit=10001", "limit", "'10001' must be")]
    [InlineData("limit=-1", "limit", "'-1' must be")]
    [InlineData("limit=1.5", "limit", "'1.5' must be")]
    [InlineData("limit=ten", "limit", "'ten' must be")]
    [InlineData("limit=99999999999999999999", "limit", "must be")]
    [InlineData("limit=1&limit=2", "limit", "must be")]
    [InlineData("cursor=-1", "cursor", "'-1' must be")]
    [InlineData("cursor=next", "cursor", "'next' must be")]
    [InlineData("cursor=99999999999999999999", "cursor", "must be")]
    public async Task Page_WithBadBounds_IsRefused(string query, string field, string cure)
    {
        await using var node = await RunningNode.StartAsync();

        Assert.Contains(cure, (await node.GetAsync($"/api/counters?{query}")).Problem(400, field));
        Assert.Contains(cure, (await node.GetAsync($"/api/blocks?{query}")).Problem(400, field));
    }

    [Theory]
    [InlineData("9223372036854775807")]
    [InlineData("1234567890123")]
    [InlineData("1099511627775")]
    public async Task Page_WithACursorThatNoPageGave_IsAnswered(string cursor)
    {
        await using var node = await RunningNode.StartAsync();
        await node.GetAsync("/rate-limit/alice");

        var page = await node.GetAsync($"/api/counters?cursor={cursor}");

        Assert.Equal(200, page.Status);
        Assert.InRange(page.Json.GetProperty("counters").GetArrayLength(), 0, 1);
    }

    [Fact]
    public async Task Blocks_SayUntilWhen()
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_LIMIT", "1"));
        await node.GetAsync("/rate-limit/alice");
        node.Time.Advance(TimeSpan.FromSeconds(20));
        await node.GetAsync("/rate-limit/bob?cost=0");

        var block = Assert.Single((await node.GetAsync("/api/blocks")).Json.GetProperty("blocks").EnumerateArray());

        Assert.Equal("""{"key":"alice","domain":"default","rule":"default","limit":1,"retry_after_ms":40000,"until":"2026-01-01T00:01:00Z"}""", WithoutId(block));
        node.Time.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal("""{"blocks":[],"next_cursor":null}""", (await node.GetAsync("/api/blocks")).Text);
    }

    [Theory]
    [InlineData("alice", "alice")]
    [InlineData("a%2Fb", "a/b")]
    [InlineData("100%25", "100%")]
    [InlineData("%252F", "%2F")]
    [InlineData("caf%C3%A9", "café")]
    [InlineData("%F0%9F%98%80", "😀")]
    [InlineData("a+b%20c", "a+b c")]
    [InlineData("%3Cscript%3E%22%7B%7D", "<script>\"{}")]
    public async Task Reset_ByKey_ForgetsWhatTheKeyUsed(string encoded, string key)
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_LIMIT", "1"));
        await node.GetAsync($"/rate-limit/{encoded}");
        await node.PostAsync("/check", JsonSerializer.Serialize(new { key, limit = 7 }));
        await node.GetAsync("/rate-limit/other");

        var reply = await node.SendAsync(HttpMethod.Delete, $"/api/counters/{encoded}");

        Assert.Equal((200, """{"reset":2}"""), (reply.Status, reply.Text));
        Assert.Equal(200, (await node.GetAsync($"/rate-limit/{encoded}")).Status);
        Assert.Equal(429, (await node.GetAsync("/rate-limit/other")).Status);
    }

    [Fact]
    public async Task Reset_ByKey_FindsTheRulesCounter()
    {
        await using var node = await RunningNode.WithRulesAsync("domain: default\ndescriptors:\n- {key: key, value: 'a*', rate_limit: {limit: 1, window: 1m}}\n");
        await node.GetAsync("/rate-limit/abc");

        Assert.Equal("""{"reset":1}""", (await node.SendAsync(HttpMethod.Delete, "/api/counters/abc")).Text);
        Assert.Equal(200, (await node.GetAsync("/rate-limit/abc")).Status);
    }

    [Fact]
    public async Task Reset_OfAKeyWithoutCounter_Is404()
    {
        await using var node = await RunningNode.StartAsync();

        Assert.Contains("'a/b' has no counter", (await node.SendAsync(HttpMethod.Delete, "/api/counters/a%2Fb")).Problem(404, "key"));
        Assert.Contains("is not valid UTF-8", (await node.SendAsync(HttpMethod.Delete, "/api/counters/%FF")).Problem(400, "key"));
        Assert.Contains("513", (await node.SendAsync(HttpMethod.Delete, $"/api/counters/{new string('x', 513)}")).Problem(400, "key").Replace("more than 512", "513", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Reset_ById_ForgetsThatCounterAlone()
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_LIMIT", "1"));
        await node.GetAsync("/rate-limit/alice");
        await node.GetAsync("/rate-limit/bob");
        var id = (await node.GetAsync("/api/counters")).Json.GetProperty("counters").EnumerateArray()
            .Single(c => c.GetProperty("key").GetString() == "alice").GetProperty("id").GetString();

        Assert.Equal("""{"reset":1}""", (await node.SendAsync(HttpMethod.Delete, $"/api/counters?id={id}")).Text);
        Assert.Equal((200, 429), ((await node.GetAsync("/rate-limit/alice")).Status, (await node.GetAsync("/rate-limit/bob")).Status));
    }

    [Theory]
    [InlineData("", 400)]
    [InlineData("?id=", 400)]
    [InlineData("?id=xyz", 400)]
    [InlineData("?id=0000000000000000000000000000000g", 400)]
    [InlineData("?id=%200000000000000000000000000000000", 400)]
    [InlineData("?id=00000000000000000000000000000000", 404)]
    public async Task Reset_ByAnIdThatIsNone_IsRefused(string query, int status)
    {
        await using var node = await RunningNode.StartAsync();

        (await node.SendAsync(HttpMethod.Delete, $"/api/counters{query}")).Problem(status, "id");
    }

    [Fact]
    public async Task Nodes_ShowThisNode()
    {
        await using var node = await RunningNode.StartAsync(("NODE_ID", "n-1"));
        node.Time.Advance(TimeSpan.FromSeconds(5));

        var only = Assert.Single((await node.GetAsync("/api/nodes")).Json.GetProperty("nodes").EnumerateArray());

        Assert.Equal("id address state engine version started_at last_seen", Reply.FieldsOf(only));
        Assert.Equal(("n-1", "ready", "memory"), (only.GetProperty("id").GetString(), only.GetProperty("state").GetString(), only.GetProperty("engine").GetString()));
        Assert.Equal(node.Node.Address, new Uri(only.GetProperty("address").GetString()!));
        Assert.Equal(("2026-01-01T00:00:00Z", "2026-01-01T00:00:05Z"), (only.GetProperty("started_at").GetString(), only.GetProperty("last_seen").GetString()));
        Assert.Equal(DateTimeKind.Utc, DateTime.Parse(only.GetProperty("started_at").GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind).Kind);
    }

    private static string WithoutId(JsonElement element)
    {
        var text = element.GetRawText();
        return "{" + text[(text.IndexOf(',') + 1)..];
    }
}
