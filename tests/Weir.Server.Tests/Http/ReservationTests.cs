namespace Weir.Server.Tests.Http;

/// <summary><c>POST /reserve</c>, <c>/commit</c> and <c>/renew</c>: costs that are known only afterwards.</summary>
public sealed class ReservationTests
{
    private const string Slots = """
        domain: default
        descriptors:
          - { key: slots, rate_limit: { name: slots, algorithm: concurrency, limit: 2, window: 30s } }
          - { key: user, rate_limit: { name: per-user, limit: 10, window: 1m } }
          - { key: trial, shadow_mode: true, rate_limit: { name: trial, limit: 1, window: 1m } }
        """;

    [Fact]
    public async Task Reserve_ChargesAndSaysHowLongItHolds()
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_LIMIT", "1000"));

        var reply = await node.PostAsync("/reserve", """{"key":"alice","cost":500}""");

        Assert.Equal((200, "allowed key rule limit remaining reset_ms retry_after_ms source reservation expires_ms"), (reply.Status, reply.Fields));
        Assert.Equal((500, 60_000, "500"), (reply.Number("remaining"), reply.Number("expires_ms"), reply.Header("X-RateLimit-Remaining")));
        Assert.Matches("^[0-9a-f]{32}$", reply.String("reservation"));
    }

    [Fact]
    public async Task Reserve_ThatDoesNotFit_ReservesNothing()
    {
        await using var node = await RunningNode.StartAsync();
        await node.PostAsync("/reserve", """{"key":"alice","cost":60}""");

        var later = await node.PostAsync("/reserve", """{"key":"alice","cost":60}""");
        var never = await node.PostAsync("/reserve", """{"key":"alice","cost":101}""");

        Assert.Equal((429, "60"), (later.Status, later.Header("Retry-After")));
        Assert.Equal((429, null, true), (never.Status, never.Header("Retry-After"), never.IsNull("retry_after_ms")));
        Assert.False(later.Json.TryGetProperty("reservation", out _));
        Assert.Equal(40, await node.RemainingAsync("alice"));
    }

    [Theory]
    [InlineData(120, 380, 0, 880)]
    [InlineData(500, 0, 0, 500)]
    [InlineData(0, 500, 0, 1000)]
    [InlineData(700, 0, 200, 300)]
    public async Task Commit_CorrectsTheCharge(int actual, int refunded, int overcharged, int remaining)
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_LIMIT", "1000"));
        var id = await ReserveAsync(node, """{"key":"alice","cost":500}""");

        var reply = await node.PostAsync("/commit", $$"""{"reservation":"{{id}}","actual":{{actual}}}""");

        Assert.Equal((200, $$"""{"committed":true,"reserved":500,"actual":{{actual}},"refunded":{{refunded}},"overcharged":{{overcharged}}}"""), (reply.Status, reply.Text));
        Assert.Equal(remaining, await node.RemainingAsync("alice"));
    }

    [Fact]
    public async Task Commit_OfMoreThanIsLeft_MakesLaterRequestsWait()
    {
        await using var node = await RunningNode.StartAsync();
        var id = await ReserveAsync(node, """{"key":"alice","cost":50}""");
        node.Time.Advance(TimeSpan.FromSeconds(30));

        Assert.Equal(70, (await node.PostAsync("/commit", $$"""{"reservation":"{{id}}","actual":120}""")).Number("overcharged"));
        Assert.Equal(429, (await node.GetAsync("/rate-limit/alice")).Status);
        node.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(30, await node.RemainingAsync("alice"));
    }

    [Fact]
    public async Task Commit_Twice_Is404AndCorrectsOnce()
    {
        await using var node = await RunningNode.StartAsync();
        var id = await ReserveAsync(node, """{"key":"alice","cost":50}""");

        Assert.Equal(200, (await CommitAsync(node, id, 10)).Status);
        Assert.Contains($"'{id}' is not open", (await CommitAsync(node, id, 10)).Problem(404, "reservation"));
        (await RenewAsync(node, id)).Problem(404, "reservation");
        Assert.Equal(90, await node.RemainingAsync("alice"));
    }

    [Fact]
    public async Task Commit_ByManyAtOnce_CorrectsOnce()
    {
        await using var node = await RunningNode.StartAsync();
        var id = await ReserveAsync(node, """{"key":"alice","cost":50}""");

        var replies = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => CommitAsync(node, id, 10)));

        Assert.Equal((1, 15), (replies.Count(r => r.Status == 200), replies.Count(r => r.Status == 404)));
        Assert.Equal(90, await node.RemainingAsync("alice"));
    }

    [Theory]
    [InlineData("", 60_000)]
    [InlineData(",\"ttl_ms\":1000", 1000)]
    [InlineData(",\"ttl_ms\":3600000", 3_600_000)]
    public async Task Reservation_EndsWithItsTimeAndStaysCharged(string ttl, int millis)
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_WINDOW_MS", "36000000"));
        var kept = await ReserveAsync(node, $$"""{"key":"alice","cost":10{{ttl}}}""");
        var ended = await ReserveAsync(node, $$"""{"key":"alice","cost":10{{ttl}}}""");

        node.Time.Advance(TimeSpan.FromMilliseconds(millis - 1));
        Assert.Equal(200, (await CommitAsync(node, kept, 0)).Status);
        node.Time.Advance(TimeSpan.FromMilliseconds(1));
        (await CommitAsync(node, ended, 0)).Problem(404, "reservation");
        (await RenewAsync(node, ended)).Problem(404, "reservation");
        Assert.Equal(90, await node.RemainingAsync("alice"));
    }

    [Fact]
    public async Task Renew_HoldsForTheWholeTimeFromNow()
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_WINDOW_MS", "3600000"));
        var id = await ReserveAsync(node, """{"key":"alice","cost":10,"ttl_ms":5000}""");

        for (var i = 0; i < 4; i++)
        {
            node.Time.Advance(TimeSpan.FromMilliseconds(4999));
            Assert.Equal("""{"renewed":true,"expires_ms":5000}""", (await RenewAsync(node, id)).Text);
        }
        Assert.Equal(200, (await CommitAsync(node, id, 1)).Status);
        Assert.Equal(99, await node.RemainingAsync("alice"));
    }

    [Fact]
    public async Task Leases_AreHeldUntilTheCommitHoweverMuchItCost()
    {
        await using var node = await RunningNode.WithRulesAsync(Slots);
        var first = await ReserveAsync(node, Descriptor("slots"));
        await ReserveAsync(node, Descriptor("slots"));

        var third = await node.PostAsync("/reserve", Descriptor("slots"));
        Assert.Equal((429, "30"), (third.Status, third.Header("Retry-After")));
        Assert.Equal(200, (await CommitAsync(node, first, 1)).Status);
        Assert.Equal(200, (await node.PostAsync("/reserve", Descriptor("slots"))).Status);
        Assert.Equal(429, (await node.PostAsync("/reserve", Descriptor("slots"))).Status);
    }

    [Fact]
    public async Task Leases_EndByThemselvesUnlessTheyAreRenewed()
    {
        await using var node = await RunningNode.WithRulesAsync(Slots);
        var renewed = await ReserveAsync(node, Descriptor("slots"));
        var left = await ReserveAsync(node, Descriptor("slots"));

        node.Time.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(200, (await RenewAsync(node, renewed)).Status);
        node.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, (await node.PostAsync("/check", Descriptor("slots", 0))).Number("remaining"));
        (await RenewAsync(node, left)).Problem(404, "reservation");
        node.Time.Advance(TimeSpan.FromSeconds(28));
        Assert.Equal(1, (await node.PostAsync("/check", Descriptor("slots", 0))).Number("remaining"));
        node.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(2, (await node.PostAsync("/check", Descriptor("slots", 0))).Number("remaining"));
    }

    // A caller that renews when it is told to must not find its lease gone before that.
    [Fact]
    public async Task Leases_ThatEndBeforeTheReservation_SaySo()
    {
        await using var node = await RunningNode.WithRulesAsync(Slots);

        var reply = await node.PostAsync("/reserve", Descriptor("slots", 1, ",\"ttl_ms\":3600000"));
        Assert.Equal(30_000, reply.Number("expires_ms"));
        node.Time.Advance(TimeSpan.FromMilliseconds(29_999));
        Assert.Equal(30_000, (await RenewAsync(node, reply.String("reservation")!)).Number("expires_ms"));
        node.Time.Advance(TimeSpan.FromMilliseconds(30_000));
        (await RenewAsync(node, reply.String("reservation")!)).Problem(404, "reservation");
    }

    [Fact]
    public async Task Reservation_OfSeveralLimits_SettlesEach()
    {
        await using var node = await RunningNode.WithRulesAsync(Slots);
        const string three = """{"descriptors":[{"entries":[{"key":"user","value":"a"}],"cost":6},{"entries":[{"key":"slots","value":"a"}],"cost":1},{"entries":[{"key":"trial","value":"a"}]}]}""";
        await ReserveAsync(node, three);
        Assert.Equal(429, (await node.PostAsync("/reserve", three)).Status);
        var id = await ReserveAsync(node, three.Replace("6", "4", StringComparison.Ordinal));

        var commit = await CommitAsync(node, id, 1);

        Assert.Equal("""{"committed":true,"reserved":4,"actual":1,"refunded":3,"overcharged":0}""", commit.Text);
        Assert.Equal([3, 1], (await node.PostAsync("/check", three.Replace("\"cost\":6", "\"cost\":0", StringComparison.Ordinal).Replace("\"cost\":1", "\"cost\":0", StringComparison.Ordinal)))
            .Json.GetProperty("statuses").EnumerateArray().Take(2).Select(s => s.GetProperty("remaining").GetInt32()));
    }

    [Fact]
    public async Task Reservation_OfAKeyWithoutLimit_CanBeSettled()
    {
        await using var node = await RunningNode.WithRulesAsync("domain: default\ndescriptors:\n- {key: key, value: staff}\n");
        var id = await ReserveAsync(node, """{"key":"staff","cost":7}""");

        Assert.Equal("""{"committed":true,"reserved":0,"actual":3,"refunded":0,"overcharged":0}""", (await CommitAsync(node, id, 3)).Text);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("00000000000000000000000000000000")]
    public async Task Reservation_ThatNeverWas_Is404(string id)
    {
        await using var node = await RunningNode.StartAsync();

        Assert.Contains("is not open", (await CommitAsync(node, id, 1)).Problem(404, "reservation"));
        Assert.Contains("is not open", (await RenewAsync(node, id)).Problem(404, "reservation"));
        Assert.Contains("ratelimiter_http_requests_rejected_total{reason=\"not_found\"} 2\n", (await node.GetAsync("/metrics")).Text);
    }

    private static string Descriptor(string key, int cost = 1, string more = "") => $$"""{"descriptors":[{"entries":[{"key":"{{key}}","value":"a"}]}],"cost":{{cost}}{{more}}}""";

    private static async Task<string> ReserveAsync(RunningNode node, string body)
    {
        var reply = await node.PostAsync("/reserve", body);
        Assert.True(reply.Status == 200, reply.ToString());
        return reply.String("reservation")!;
    }

    private static Task<Reply> CommitAsync(RunningNode node, string id, int actual) => node.PostAsync("/commit", $$"""{"reservation":"{{id}}","actual":{{actual}}}""");

    private static Task<Reply> RenewAsync(RunningNode node, string id) => node.PostAsync("/renew", $$"""{"reservation":"{{id}}"}""");
}
