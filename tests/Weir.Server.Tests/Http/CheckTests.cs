using System.Globalization;
using System.Text.Json;

namespace Weir.Server.Tests.Http;

/// <summary><c>POST /check</c> by key, one and many.</summary>
public sealed class CheckTests
{
    private const string OneFields = "allowed key rule limit remaining reset_ms retry_after_ms source receipt";
    private const string RefusedFields = "type title status detail violated-policies allowed key rule limit remaining reset_ms retry_after_ms source";

    [Fact]
    public async Task One_IsTheSameCounterAsTheSimpleCall()
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_LIMIT", "3"));
        await node.GetAsync("/rate-limit/alice");

        var allowed = await node.PostAsync("/check", """{"key":"alice","cost":2}""");
        var refused = await node.PostAsync("/check", """{"key":"alice"}""");

        Assert.Equal((200, OneFields), (allowed.Status, allowed.Fields));
        Assert.Equal(("application/json", "0", "3"), (allowed.Header("Content-Type"), allowed.Header("X-RateLimit-Remaining"), allowed.Header("X-RateLimit-Limit")));
        Assert.Equal("\"default\";r=0;t=60", allowed.Header("RateLimit"));
        Assert.Equal((true, "alice", "default", "exact"), (allowed.Flag("allowed"), allowed.String("key"), allowed.String("rule"), allowed.String("source")));
        Assert.Equal((3, 0, 60_000, 0), (allowed.Number("limit"), allowed.Number("remaining"), allowed.Number("reset_ms"), allowed.Number("retry_after_ms")));
        Assert.Equal((429, RefusedFields), (refused.Status, refused.Fields));
        Assert.Equal(("60", "no-store", "application/problem+json"), (refused.Header("Retry-After"), refused.Header("Cache-Control"), refused.Header("Content-Type")));
        Assert.Equal(60_000, refused.Number("retry_after_ms"));
    }

    [Fact]
    public async Task One_WithALimitOfItsOwn_CountsApart()
    {
        await using var node = await RunningNode.StartAsync();

        Assert.Equal((200, 5, 4), await LimitAndRemaining(node, """{"key":"a","limit":5}"""));
        Assert.Equal((200, 5, 4), await LimitAndRemaining(node, """{"key":"a","limit":5,"window_ms":1000}"""));
        Assert.Equal((200, 100, 99), await LimitAndRemaining(node, """{"key":"a","window_ms":1000}"""));
        Assert.Equal((200, 5, 3), await LimitAndRemaining(node, """{"key":"a","limit":5,"window_ms":60000}"""));
        Assert.Equal((200, 5, 4), await LimitAndRemaining(node, """{"key":"b","limit":5}"""));
        Assert.Equal(100, await node.RemainingAsync("a"));
        node.Time.Advance(TimeSpan.FromMilliseconds(1000));
        Assert.Equal((200, 5, 4), await LimitAndRemaining(node, """{"key":"a","limit":5,"window_ms":1000}"""));
        Assert.Equal((200, 5, 2), await LimitAndRemaining(node, """{"key":"a","limit":5}"""));
    }

    [Fact]
    public async Task One_WithALimitOfItsOwn_SaysSoInItsHeaders()
    {
        await using var node = await RunningNode.StartAsync();

        var reply = await node.PostAsync("/check", """{"key":"a","limit":7,"window_ms":2500}""");

        var policy = StructuredField.ParseOne(reply.Header("RateLimit-Policy"));
        Assert.Equal((7L, 3L), ((long)policy.Parameter("q"), (long)policy.Parameter("w")));
        Assert.Equal((2500, "7"), (reply.Number("reset_ms"), reply.Header("X-RateLimit-Limit")));
    }

    [Theory]
    [InlineData(0, 200, 100)]
    [InlineData(100, 200, 0)]
    [InlineData(101, 429, 100)]
    public async Task One_TakesWhatItCosts(int cost, int status, int remaining)
    {
        await using var node = await RunningNode.StartAsync();

        var reply = await node.PostAsync("/check", $$"""{"cost":{{cost}},"key":"alice"}""");

        Assert.Equal((status, remaining), (reply.Status, reply.Number("remaining")));
        Assert.Equal(cost > 100, reply.IsNull("retry_after_ms"));
        Assert.Equal(remaining, await node.RemainingAsync("alice"));
    }

    [Theory]
    [InlineData("""{"key":"a\"b\\c\/d\u00e9\ud83d\ude00\u0000\n"}""", "a\"b\\c/dé😀\0\n")]
    [InlineData("""{"key":"{}<script>&'"}""", "{}<script>&'")]
    [InlineData("""  { "key" : "a" , "cost" : 1 }   """, "a")]
    [InlineData("""{"\u006bey":"a"}""", "a")]
    public async Task Key_IsShownAsItWasSent(string body, string key)
    {
        await using var node = await RunningNode.StartAsync();

        var reply = await node.PostAsync("/check", body);

        Assert.Equal((200, key, 99), (reply.Status, reply.String("key"), reply.Number("remaining")));
    }

    [Fact]
    public async Task Many_AreDecidedInOrder()
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_LIMIT", "2"));

        var reply = await node.PostAsync("/check", """
            {"checks":[{"key":"a"},{"key":"a"},{"key":"a"},{"key":"b","cost":3},{"key":"a","limit":9,"window_ms":1000},{"key":"b","cost":0},{"key":"b","cost":2}]}
            """);

        Assert.Equal((200, "application/json", "results"), (reply.Status, reply.Header("Content-Type"), reply.Fields));
        Assert.Null(reply.Header("RateLimit"));
        var results = reply.Json.GetProperty("results").EnumerateArray().ToList();
        Assert.Equal([200, 200, 429, 429, 200, 200, 200], results.Select(r => r.GetProperty("status").GetInt32()));
        Assert.Equal([1, 0, 0, 2, 8, 2, 0], results.Select(r => r.GetProperty("remaining").GetInt32()));
        Assert.Equal(["a", "a", "a", "b", "a", "b", "b"], results.Select(r => r.GetProperty("key").GetString()));
        Assert.Equal(["0", "0", "60000", "null", "0", "0", "0"], results.Select(r => r.GetProperty("retry_after_ms").GetRawText()));
        Assert.Equal("status " + OneFields.Replace("receipt", "policy receipt"), Reply.FieldsOf(results[0]));
        Assert.Equal("status allowed key rule limit remaining reset_ms retry_after_ms source policy", Reply.FieldsOf(results[2]));
        Assert.Equal(2, (await node.GetAsync("/api/counters")).Json.GetProperty("counters").EnumerateArray().Count(c => c.GetProperty("limit").GetInt32() == 2));
    }

    [Fact]
    public async Task Many_OfAThousand_AreAnsweredAndOneMoreIsRefused()
    {
        await using var node = await RunningNode.StartAsync();
        var longKeys = Enumerable.Range(0, 1000).Select(i => i.ToString("0000", CultureInfo.InvariantCulture) + new string('x', 508));

        var thousand = await node.PostAsync("/check", Batch(longKeys));
        var more = await node.PostAsync("/check", Batch(Enumerable.Range(0, 1001).Select(i => $"more-{i}")));

        Assert.Equal(200, thousand.Status);
        Assert.Equal(1000, thousand.Json.GetProperty("results").EnumerateArray().Count(r => r.GetProperty("remaining").GetInt32() == 99));
        Assert.Equal("checks: has more than 1,000. Send the rest in another request.", more.Problem(400, "checks"));
        Assert.Equal(1000, (await node.GetAsync("/api/counters")).Number("total"));
    }

    [Fact]
    public async Task Many_WhoseKeysGrowWhenShown_AreAnswered()
    {
        await using var node = await RunningNode.StartAsync();
        // Control characters take six bytes each in the answer, as in the request.
        var keys = Enumerable.Range(0, 300).Select(i => $"{i}" + new string('\u0001', 500));

        var reply = await node.PostAsync("/check", Batch(keys));

        Assert.Equal(300, reply.Json.GetProperty("results").GetArrayLength());
    }

    [Theory]
    [InlineData("/check")]
    [InlineData("/reserve")]
    [InlineData("/commit")]
    [InlineData("/renew")]
    [InlineData("/refund")]
    public async Task Method_OtherThanPost_Is405(string path)
    {
        await using var node = await RunningNode.StartAsync();

        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Put, HttpMethod.Delete, HttpMethod.Options })
        {
            var reply = await node.SendAsync(method, path);
            Assert.Contains($"{method} is not allowed here. Use POST.", reply.Problem(405, "method"));
            Assert.Equal("POST", reply.Header("Allow"));
        }
    }

    [Theory]
    [InlineData("/check/")]
    [InlineData("/checks")]
    [InlineData("/check/alice")]
    public async Task Path_ThatIsAnother_Is404(string path)
    {
        await using var node = await RunningNode.StartAsync();

        (await node.PostAsync(path, """{"key":"a"}""")).Problem(404, "path");
    }

    private static string Batch(IEnumerable<string> keys) => JsonSerializer.Serialize(new { checks = keys.Select(key => new { key }) });

    private static async Task<(int, long, long)> LimitAndRemaining(RunningNode node, string body)
    {
        var reply = await node.PostAsync("/check", body);
        return (reply.Status, reply.Number("limit"), reply.Number("remaining"));
    }
}
