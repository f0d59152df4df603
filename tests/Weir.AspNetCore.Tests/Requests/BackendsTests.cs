using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Weir.AspNetCore.Tests.Running;
using Weir.TestKit.Redis;

namespace Weir.AspNetCore.Tests.Requests;

/// <summary>Applications whose limits nodes or Redis decide.</summary>
public sealed class BackendsTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task TwoInstances_OverOneNode_ShareTheLimitExactly()
    {
        await using var node = await TestNode.StartAsync();
        await ShareAsync(weir => weir.UseNodes(o => Copy(TestNode.Patient(node.Address), o)));
    }

    [Fact]
    public async Task TwoInstances_OverRedis_ShareTheLimitExactly()
    {
        await using var redis = await StartRedisAsync();
        await ShareAsync(weir => weir.UseRedis($"redis://127.0.0.1:{redis.Port}", o => o.DecisionTimeout = TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task OverRedis_ApplicationsAndNodesShareTheSameCounters()
    {
        await using var redis = await StartRedisAsync();
        var url = $"redis://127.0.0.1:{redis.Port}";
        await using var node = await TestNode.StartAsync(null, ("REDIS_URL", url), ("DECISION_TIMEOUT_MS", "5000"));
        await using var direct = WeirClient.OverRedis(new WeirRedisOptions { Url = url, DecisionTimeout = TimeSpan.FromSeconds(5) });
        await direct.StartAsync();
        var limit = Limit.Create("shared", 10, Hour);

        Assert.Equal(9, (await direct.CheckAsync(new LimitCharge(limit, "a"))).Remaining);
        var byNode = await node.UsedAsync(limit, "a");
        var reservation = await direct.ReserveAsync(new LimitCharge(limit, "a", 5));
        var reserved = await node.UsedAsync(limit, "a");
        Assert.True(await direct.CommitAsync(reservation, 2));

        Assert.Equal((1L, 6L, 3L), (byNode, reserved, await node.UsedAsync(limit, "a")));
    }

    [Fact]
    public async Task OverRedis_ThatGoesAway_PoliciesAnswer()
    {
        await using var redis = await StartRedisAsync();
        await using var client = WeirClient.OverRedis(new WeirRedisOptions { Url = $"redis://127.0.0.1:{redis.Port}", DecisionTimeout = TimeSpan.FromSeconds(5) });
        await client.StartAsync();
        var open = Limit.Create("open", new LimitOptions { Permits = 5, Window = Hour, Failure = FailurePolicy.Open });
        Assert.Equal(DecisionSource.Exact, (await client.CheckAsync(new LimitCharge(open, "a"))).Source);

        await redis.KillAsync();

        await Eventually.IsTrueAsync(async () => (await client.CheckAsync(new LimitCharge(open, "b"))).Source == DecisionSource.Degraded, "the policy answers");
        Assert.False(await client.CommitAsync(new LimitReservation(default, new EngineBackend.Taken(
            [new Charge(open.Rule!, new CounterId(1, 2), 1, CounterLabel.OfKey("a"))], [1]), Hour), 0));
    }

    [Fact]
    public async Task OverRedis_WithAWrongPassword_TheApplicationDoesNotStart()
    {
        Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
        await using var redis = await RedisServer.StartAsync("--requirepass", "right");

        var failure = await Assert.ThrowsAnyAsync<Exception>(() => TestApp.StartAsync(
            s => s.AddWeir().UseRedis($"redis://:wrong@127.0.0.1:{redis.Port}"), static _ => { }));

        Assert.Contains("password", failure.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("wrong@", failure.ToString());
    }

    [Fact]
    public async Task OverNodes_HeadersEqualTheNodes()
    {
        await using var node = await TestNode.StartAsync();
        await using var app = await TestApp.StartAsync(
            s => s.AddWeir(o => o.AddLimit("login", 2, Hour)
                .AddLimit("burst", 10, Hour, LimitBy.Address, l => (l.Algorithm, l.Burst) = (AlgorithmKind.TokenBucket, 30)))
                .UseNodes(o => Copy(TestNode.Patient(node.Address), o)),
            a =>
            {
                a.MapGet("/login", () => "").RequireLimit("login");
                a.MapGet("/burst", () => "").RequireLimit("burst");
            });

        foreach (var (path, limit) in new[]
        {
            ("/login", """{"name":"login","limit":2,"window_ms":3600000}"""),
            ("/login", """{"name":"login","limit":2,"window_ms":3600000}"""),
            ("/burst", """{"name":"burst","algorithm":"token-bucket","limit":10,"window_ms":3600000,"burst":30}"""),
        })
        {
            var name = path[1..];
            using var byApp = await app.GetAsync(path);
            // The same again at the node, for a counter of the same history.
            using var byNode = await node.PostAsync("/check", $$"""{"domain":"twin","descriptors":[{"entries":[{"key":"{{name}}","value":"a"}],"rate_limit":{{limit}}}]}""");
            Assert.Equal(HeadersOf(byNode), HeadersOf(byApp));
        }
        using var refusedByApp = await app.GetAsync("/login");
        using var refusedByNode = await node.PostAsync("/check", """{"domain":"twin","descriptors":[{"entries":[{"key":"login","value":"a"}],"rate_limit":{"name":"login","limit":2,"window_ms":3600000}}]}""");
        Assert.Equal(((int)refusedByNode.StatusCode, refusedByNode.Content.Headers.ContentType), ((int)refusedByApp.StatusCode, refusedByApp.Content.Headers.ContentType));
        Assert.Equal(HeadersOf(refusedByNode), HeadersOf(refusedByApp));
    }

    [Fact]
    public async Task OverNodes_AllGone_Is503WithRetryAfter()
    {
        await using var app = await TestApp.StartAsync(
            s => s.AddWeir(o => o.AddLimit("login", 2, Hour).AddLimit("open", 2, Hour, LimitBy.Address, l => l.Failure = FailurePolicy.Open))
                .UseNodes(o => Copy(TestNode.Patient($"http://127.0.0.1:{RedisServer.FreePort()}"), o)),
            a =>
            {
                a.MapGet("/login", () => "").RequireLimit("login");
                a.MapGet("/open", () => "").RequireLimit("open");
            });

        using var refused = await app.GetAsync("/login");

        Assert.Equal((503, "1"), ((int)refused.StatusCode, refused.Headers.GetValues("Retry-After").Single()));
        Assert.Equal("application/problem+json", refused.Content.Headers.ContentType!.ToString());
        Assert.Equal("200 200 200", await app.StatusesAsync(3, "/open"));
    }

    [Fact]
    public async Task OverNodes_ReservationsAndLeasesEndWithTheRequest()
    {
        await using var node = await TestNode.StartAsync();
        await using var app = await TestApp.StartAsync(
            s => s.AddWeir(o => o
                .AddLimit("tokens", 100, Hour, LimitBy.Everyone, l => (l.Reserve, l.Cost) = (true, 60))
                .AddLimit("jobs", 1, TimeSpan.FromMinutes(1), LimitBy.Everyone, l => l.Algorithm = AlgorithmKind.Concurrency))
                .UseNodes(o => Copy(TestNode.Patient(node.Address), o)),
            a => a.MapGet("/ask", (Microsoft.AspNetCore.Http.HttpContext c) => c.SetLimitCost(7)).RequireLimit("tokens").RequireLimit("jobs"));

        Assert.Equal("200 200 200", await app.StatusesAsync(3, "/ask"));
        Assert.Equal(21, await node.UsedAsync(Limit.Create("tokens", 100, Hour), "all"));
    }

    private static async Task ShareAsync(Action<WeirBuilder> use)
    {
        const int limit = 200;
        Task<TestApp> Start() => TestApp.StartAsync(
            s => use(s.AddWeir(o => o.AddLimit("shared", limit, Hour, LimitBy.Everyone))), a => a.MapGet("/", () => "").RequireLimit("shared"));
        await using var first = await Start();
        await using var second = await Start();

        var statuses = await Task.WhenAll(Enumerable.Range(0, 2 * limit).Select(i => (i % 2 == 0 ? first : second).StatusAsync("/")));

        Assert.Equal((limit, limit), (statuses.Count(static s => s == 200), statuses.Count(static s => s == 429)));
    }

    private static async Task<RedisServer> StartRedisAsync()
    {
        Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
        return await RedisServer.StartAsync();
    }

    private static void Copy(WeirNodesOptions from, WeirNodesOptions to)
    {
        foreach (var address in from.Addresses)
            to.Addresses.Add(address);
        (to.Timeout, to.ProbeInterval) = (from.Timeout, from.ProbeInterval);
    }

    // What is left of a second may differ by a moment, and headers are in seconds rounded up, an hour from now.
    private static string HeadersOf(HttpResponseMessage response) => string.Join('\n', response.Headers
        .Where(static h => h.Key.Contains("RateLimit", StringComparison.OrdinalIgnoreCase) || h.Key is "Retry-After" or "Cache-Control")
        .OrderBy(static h => h.Key, StringComparer.OrdinalIgnoreCase)
        .Select(static h => $"{h.Key.ToLowerInvariant()}: {h.Value.Single()}"));
}
