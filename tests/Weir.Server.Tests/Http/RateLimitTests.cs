namespace Weir.Server.Tests.Http;

/// <summary>Limits that descriptors bring along, and what batches say of the limit that binds.</summary>
public sealed class RateLimitTests
{
    private const string Rules = """
        domain: default
        descriptors:
          - key: user
            rate_limit: { name: per-user, limit: 5, window: 1m }
        """;

    [Fact]
    public async Task Limit_ThatADescriptorBrings_NeedsNoRules()
    {
        await using var node = await RunningNode.StartAsync();
        const string body = """{"domain":"shop","descriptors":[{"entries":[{"key":"login","value":"a"}],"rate_limit":{"limit":2,"window_ms":60000}}]}""";

        var first = await node.PostAsync("/check", body);
        await node.PostAsync("/check", body);
        var third = await node.PostAsync("/check", body);

        Assert.Equal((200, "login", 2, 1), (first.Status, first.String("rule"), first.Number("limit"), first.Number("remaining")));
        Assert.Equal("\"login\";q=2;w=60", first.Header("RateLimit-Policy"));
        Assert.Equal((429, "60"), (third.Status, third.Header("Retry-After")));
        Assert.Equal(200, (await node.PostAsync("/check", body.Replace("\"a\"", "\"b\""))).Status);
        Assert.Equal(200, (await node.PostAsync("/check", body.Replace("shop", "other"))).Status);
    }

    [Fact]
    public async Task Limit_WhenItIsRaised_GoesOnWithWhatIsUsed()
    {
        await using var node = await RunningNode.StartAsync();

        await CheckAsync(node, Limit("login", 2));
        await CheckAsync(node, Limit("login", 2));

        Assert.Equal(429, (await CheckAsync(node, Limit("login", 2))).Status);
        Assert.Equal((200, 2), await CheckAsync(node, Limit("login", 5)) is var raised ? (raised.Status, (int)raised.Number("remaining")) : default);
        Assert.Equal(200, (await CheckAsync(node, Limit("login", 2, """,   "algorithm":"token-bucket" """))).Status);
    }

    [Fact]
    public async Task Limits_OfBothKinds_AreChargedAllOrNone()
    {
        await using var node = await RunningNode.WithRulesAsync(Rules);
        const string body = """
            {"descriptors":[{"entries":[{"key":"user","value":"a"}]},
              {"entries":[{"key":"login","value":"a"}],"rate_limit":{"name":"login","limit":1,"window_ms":60000}}]}
            """;

        Assert.Equal(200, (await node.PostAsync("/check", body)).Status);
        var refused = await node.PostAsync("/check", body);
        var look = await node.PostAsync("/check", """{"descriptors":[{"entries":[{"key":"user","value":"a"}],"cost":0}]}""");

        Assert.Equal((429, "login"), (refused.Status, refused.String("rule")));
        Assert.Equal(4, look.Number("remaining"));
    }

    [Fact]
    public async Task Limit_TakesBurstFailureAndShadow()
    {
        await using var node = await RunningNode.StartAsync();

        var burst = await CheckAsync(node, Limit("b", 10, ""","algorithm":"token-bucket","burst":40,"failure":"open" """));
        var shadow = await CheckAsync(node, Limit("s", 0, ""","shadow":true"""));

        Assert.Equal((200, 39), (burst.Status, (int)burst.Number("remaining")));
        Assert.Equal("\"b\";q=10;w=60;weir-burst=40", burst.Header("RateLimit-Policy"));
        Assert.Equal((200, true), (shadow.Status, shadow.Json.GetProperty("statuses")[0].GetProperty("would_refuse").GetBoolean()));
    }

    [Theory]
    [InlineData("""{"window_ms":1}""", "limit", "is missing")]
    [InlineData("""{"limit":1}""", "window_ms", "is missing")]
    [InlineData("""{"limit":-1,"window_ms":1}""", "limit", "'-1' must be a whole number from 0")]
    [InlineData("""{"limit":1,"window_ms":1,"algorithm":"best"}""", "algorithm", "'best' is none of sliding-window, token-bucket")]
    [InlineData("""{"limit":1,"window_ms":1,"failure":"maybe"}""", "failure", "'maybe' is none of closed, open, local")]
    [InlineData("""{"limit":1,"window_ms":1,"shadow":1}""", "shadow", "1 must be true or false")]
    [InlineData("""{"limit":1,"window_ms":1,"burst":5}""", "burst", "is for token-bucket only")]
    [InlineData("""{"limit":2000000,"window_ms":1000}""", "limit", "must be 0 to 1,000,000")]
    [InlineData("""{"limit":1,"window_ms":1,"name":"\n"}""", "name", "printable ASCII")]
    [InlineData("""{"limit":1,"window_ms":1,"name":""}""", "name", "is empty")]
    [InlineData("""{"limit":1,"window":1}""", "window", "is not a field of this call")]
    public async Task Limit_ThatIsNotPossible_IsToldByItsField(string limit, string field, string problem)
    {
        await using var node = await RunningNode.StartAsync();

        var reply = await node.PostAsync("/check", $$"""{"checks":[{"descriptors":[{"entries":[{"key":"a"}],"rate_limit":{{limit}}}]}]}""");

        Assert.Contains(problem, reply.Problem(400, $"checks[0].descriptors[0].rate_limit.{field}"));
    }

    [Fact]
    public async Task Final_OutsideOfReservations_IsNoField()
    {
        await using var node = await RunningNode.StartAsync();

        var reply = await node.PostAsync("/check", """{"descriptors":[{"entries":[{"key":"a"}],"final":true}]}""");

        Assert.Contains("is not a field of this call", reply.Problem(400, "descriptors[0].final"));
    }

    [Fact]
    public async Task Reservation_CorrectsOnlyWhatIsNotFinal()
    {
        await using var node = await RunningNode.StartAsync();
        var body = Descriptors(Limit("requests", 10, descriptor: ""","cost":1,"final":true"""), Limit("tokens", 100, descriptor: ""","cost":50"""));

        var id = (await node.PostAsync("/reserve", body)).String("reservation");
        var commit = await node.PostAsync("/commit", $$"""{"reservation":"{{id}}","actual":20}""");

        Assert.Equal("""{"committed":true,"reserved":50,"actual":20,"refunded":30,"overcharged":0}""", commit.Text);
        Assert.Equal((9, 80), (await RemainingAsync(node, Limit("requests", 10, descriptor: ""","cost":0""")), await RemainingAsync(node, Limit("tokens", 100, descriptor: ""","cost":0"""))));
    }

    [Fact]
    public async Task Commit_OfNull_LeavesTheChargeAndEndsLeases()
    {
        await using var node = await RunningNode.StartAsync();
        var body = Descriptors(Limit("jobs", 1, ""","algorithm":"concurrency" """, ""","cost":1,"final":true"""), Limit("tokens", 100, descriptor: ""","cost":50"""));

        var first = await node.PostAsync("/reserve", body);
        var second = await node.PostAsync("/reserve", body);
        var commit = await node.PostAsync("/commit", $$"""{"reservation":"{{first.String("reservation")}}","actual":null}""");
        var third = await node.PostAsync("/reserve", body);

        Assert.Equal((200, 429, "jobs", 200), (first.Status, second.Status, second.String("rule"), third.Status));
        Assert.Equal("""{"committed":true,"reserved":50,"actual":50,"refunded":1,"overcharged":0}""", commit.Text);
        Assert.Equal(0, await RemainingAsync(node, Limit("tokens", 100, descriptor: ""","cost":0""")));
    }

    [Fact]
    public async Task Batch_SaysThePolicyThatBinds()
    {
        await using var node = await RunningNode.StartAsync();

        var reply = await node.PostAsync("/check", $$"""{"checks":[{"key":"a"},{{Descriptors(Limit("login", 2))}}]}""");

        var results = reply.Json.GetProperty("results").EnumerateArray().Select(r => r.GetProperty("policy").GetString());
        Assert.Equal(["\"default\";q=100;w=60", "\"login\";q=2;w=60"], results);
    }

    private static string Limit(string name, int limit, string more = "", string descriptor = "") =>
        $$$"""{"entries":[{"key":"{{{name}}}","value":"a"}]{{{descriptor}}},"rate_limit":{"name":"{{{name}}}","limit":{{{limit}}},"window_ms":60000{{{more}}}}}""";

    private static string Descriptors(params string[] descriptors) => $$"""{"domain":"shop","descriptors":[{{string.Join(',', descriptors)}}]}""";

    private static Task<Reply> CheckAsync(RunningNode node, params string[] descriptors) => node.PostAsync("/check", Descriptors(descriptors));

    private static async Task<long> RemainingAsync(RunningNode node, string descriptor) => (await CheckAsync(node, descriptor)).Number("remaining");
}
