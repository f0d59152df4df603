using System.Globalization;

namespace Weir.Server.Tests.Http;

/// <summary><c>GET /rate-limit/{key}</c>: what it answers, to the letter.</summary>
public sealed class KeyCheckTests
{
    private const string Base = "/rate-limit/alice";

    [Fact]
    public async Task Check_AHundredAndOneTimes_AllowsAHundred()
    {
        await using var node = await RunningNode.StartAsync();

        for (var i = 1; i <= 100; i++)
        {
            var reply = await node.GetAsync(Base);
            Assert.Equal((200, 100 - i), (reply.Status, reply.Number("remaining")));
        }
        Assert.Equal(429, (await node.GetAsync(Base)).Status);
        Assert.Equal(200, (await node.GetAsync("/rate-limit/bob")).Status);
    }

    [Fact]
    public async Task Check_WhenAllowed_SaysSoInHeadersAndBody()
    {
        await using var node = await RunningNode.StartAsync();
        await node.GetAsync(Base);
        node.Time.Advance(TimeSpan.FromMilliseconds(1500));

        var reply = await node.GetAsync(Base);

        Assert.Equal(200, reply.Status);
        Assert.Equal("application/json", reply.Header("Content-Type"));
        Assert.Equal(reply.Body.Length.ToString(CultureInfo.InvariantCulture), reply.Header("Content-Length"));
        Assert.Equal(["Content-Length", "Content-Type", "Date", "RateLimit", "RateLimit-Policy", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"],
            reply.HeaderNames.Order(StringComparer.Ordinal));
        AssertLimits(reply, "default", quota: 100, window: 60, remaining: 98, until: 60, reset: 60);
        Assert.Equal("allowed key rule limit remaining reset_ms retry_after_ms source receipt", reply.Fields);
        Assert.True(reply.Flag("allowed"));
        Assert.Equal(("alice", "default", "exact"), (reply.String("key"), reply.String("rule"), reply.String("source")));
        Assert.Equal((100, 98, 60_000, 0), (reply.Number("limit"), reply.Number("remaining"), reply.Number("reset_ms"), reply.Number("retry_after_ms")));
        Assert.NotEmpty(reply.String("receipt")!);
    }

    [Fact]
    public async Task Check_WhenRefused_SaysUntilWhen()
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_LIMIT", "2"));
        await node.GetAsync(Base);
        node.Time.Advance(TimeSpan.FromMilliseconds(10_300));
        await node.GetAsync(Base);
        node.Time.Advance(TimeSpan.FromMilliseconds(10_300));

        var reply = await node.GetAsync(Base);

        Assert.Equal(429, reply.Status);
        Assert.Equal("application/problem+json", reply.Header("Content-Type"));
        Assert.Equal("no-store", reply.Header("Cache-Control"));
        Assert.Equal("40", reply.Header("Retry-After"));
        AssertLimits(reply, "default", quota: 2, window: 60, remaining: 0, until: 40, reset: 50);
        Assert.Equal("type title status detail violated-policies allowed key rule limit remaining reset_ms retry_after_ms source", reply.Fields);
        Assert.Equal("https://iana.org/assignments/http-problem-types#quota-exceeded", reply.String("type"));
        Assert.Equal("Request cannot be satisfied as assigned quota has been exceeded", reply.String("title"));
        Assert.Equal("The limit of 2 per 1m is reached. Try again in 40 s.", reply.String("detail"));
        Assert.Equal("[\"default\"]", reply.Json.GetProperty("violated-policies").GetRawText());
        Assert.False(reply.Flag("allowed"));
        Assert.Equal((429, 2, 0, 49_700), (reply.Number("status"), reply.Number("limit"), reply.Number("remaining"), reply.Number("reset_ms")));
        Assert.Equal((39_400, "exact"), (reply.Number("retry_after_ms"), reply.String("source")));
    }

    [Theory]
    [InlineData("sliding-window")]
    [InlineData("token-bucket")]
    [InlineData("fixed-window")]
    [InlineData("sliding-counter")]
    [InlineData("concurrency")]
    public async Task RetryAfter_IsTheFirstMillisecondThatAllows(string algorithm)
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_ALGORITHM", algorithm), ("DEFAULT_LIMIT", "3"), ("DEFAULT_WINDOW_MS", "10000"));
        node.Time.Advance(TimeSpan.FromMilliseconds(123.4567));
        Reply reply;
        while ((reply = await node.GetAsync(Base)).Status == 200)
            node.Time.Advance(TimeSpan.FromMilliseconds(456.7891));

        var wait = reply.Number("retry_after_ms");
        Assert.Equal((wait + 999) / 1000, long.Parse(reply.Header("Retry-After")!, CultureInfo.InvariantCulture));
        Assert.InRange(wait, 2, 20_000);
        node.Time.Advance(TimeSpan.FromMilliseconds(wait - 1));
        var before = await node.GetAsync(Base);
        Assert.Equal((429, 1, "1"), (before.Status, before.Number("retry_after_ms"), before.Header("Retry-After")));
        node.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(200, (await node.GetAsync(Base)).Status);
    }

    [Fact]
    public async Task RetryAfter_IsForTheCostThatWasAsked()
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_LIMIT", "10"));
        await node.GetAsync(Base + "?cost=4");
        node.Time.Advance(TimeSpan.FromSeconds(20));
        await node.GetAsync(Base + "?cost=4");

        Assert.Equal("40", (await node.GetAsync(Base + "?cost=6")).Header("Retry-After"));
        Assert.Equal("60", (await node.GetAsync(Base + "?cost=7")).Header("Retry-After"));
        Assert.Equal(0, (await node.GetAsync(Base + "?cost=2")).Number("remaining"));
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData("?", 1)]
    [InlineData("?cost=1", 1)]
    [InlineData("?cost=0", 0)]
    [InlineData("?cost=7", 7)]
    [InlineData("?&cost=007&", 7)]
    [InlineData("?cost=100", 100)]
    public async Task Cost_IsWhatIsTaken(string query, int taken)
    {
        await using var node = await RunningNode.StartAsync();

        Assert.Equal((200, 100 - taken), await StatusAndRemaining(node, Base + query));
        Assert.Equal(100 - taken, await node.RemainingAsync("alice"));
    }

    [Fact]
    public async Task CostZero_OnceAllIsTaken_IsAllowedAndShowsNothingLeft()
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_LIMIT", "1"));
        await node.GetAsync(Base);

        Assert.Equal((200, 0), await StatusAndRemaining(node, Base + "?cost=0"));
    }

    [Theory]
    [InlineData("101")]
    [InlineData("1000000")]
    public async Task Cost_ThatCanNeverFit_IsToldApartFromLater(string cost)
    {
        await using var node = await RunningNode.StartAsync();

        var reply = await node.GetAsync($"{Base}?cost={cost}");

        Assert.Equal(429, reply.Status);
        Assert.Null(reply.Header("Retry-After"));
        Assert.True(reply.IsNull("retry_after_ms"));
        Assert.Equal("The cost is more than the limit of 100 can ever give. Ask for less.", reply.String("detail"));
        AssertLimits(reply, "default", quota: 100, window: 60, remaining: 100, until: 0, reset: 0);
        Assert.Equal(100, await node.RemainingAsync("alice"));
    }

    [Fact]
    public async Task LimitOfZero_RefusesEverythingThatCostsAPermit()
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_LIMIT", "0"));

        Assert.Equal((429, 0), await StatusAndRemaining(node, Base));
        Assert.Equal((200, 0), await StatusAndRemaining(node, Base + "?cost=0"));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1000, 1)]
    [InlineData(1001, 2)]
    [InlineData(90_500, 91)]
    public async Task Policy_GivesTheWindowInWholeSecondsRoundedUp(int windowMillis, int seconds)
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_WINDOW_MS", windowMillis.ToString(CultureInfo.InvariantCulture)));

        AssertLimits(await node.GetAsync(Base), "default", quota: 100, window: seconds, remaining: 99, until: seconds, reset: seconds);
    }

    [Fact]
    public async Task Policy_OfConcurrency_HasAUnitAndNoWindow()
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_ALGORITHM", "concurrency"), ("DEFAULT_LIMIT", "5"));

        var policy = StructuredField.ParseOne((await node.GetAsync(Base)).Header("RateLimit-Policy"));

        Assert.Equal(5L, policy.Parameter("q"));
        Assert.Equal("concurrent-requests", policy.Parameter("qu"));
        Assert.False(policy.Has("w"));
    }

    [Fact]
    public async Task Head_TakesAPermitAndAnswersWithoutABody()
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_LIMIT", "1"));
        using var connection = await node.ConnectAsync();

        var allowed = await connection.AskAsync("/rate-limit/h", "HEAD");
        var refused = await connection.AskAsync("/rate-limit/h", "HEAD");
        var get = await connection.AskAsync("/rate-limit/h");

        Assert.Equal((200, "0"), (allowed.Status, allowed.Header("X-RateLimit-Remaining")));
        Assert.Equal((429, "60"), (refused.Status, refused.Header("Retry-After")));
        Assert.Equal(get.Header("Content-Length"), refused.Header("Content-Length"));
        Assert.Equal(429, get.Status);
    }

    private static async Task<(int Status, long Remaining)> StatusAndRemaining(RunningNode node, string path)
    {
        var reply = await node.GetAsync(path);
        return (reply.Status, reply.Number("remaining"));
    }

    private static void AssertLimits(Reply reply, string rule, long quota, long window, long remaining, long until, long reset)
    {
        Assert.Equal((quota.ToString(CultureInfo.InvariantCulture), remaining.ToString(CultureInfo.InvariantCulture), reset.ToString(CultureInfo.InvariantCulture)),
            (reply.Header("X-RateLimit-Limit"), reply.Header("X-RateLimit-Remaining"), reply.Header("X-RateLimit-Reset")));
        var policy = StructuredField.ParseOne(reply.Header("RateLimit-Policy"));
        Assert.Equal((rule, quota, window), ((string)policy.Value, (long)policy.Parameter("q"), (long)policy.Parameter("w")));
        var limit = StructuredField.ParseOne(reply.Header("RateLimit"));
        Assert.Equal((rule, remaining, until), ((string)limit.Value, (long)limit.Parameter("r"), (long)limit.Parameter("t")));
    }
}
