using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Weir.AspNetCore.Tests.Running;
using Weir.TestKit.Redis;

namespace Weir.AspNetCore.Tests.RateLimiting;

/// <summary>ASP.NET's own rate-limiting middleware in two applications that share a node.</summary>
public sealed class SharedApplicationsTests
{
    // Long enough that nothing comes back while a busy machine runs a test.
    private static readonly TimeSpan Window = TimeSpan.FromHours(1);

    [Theory]
    [InlineData("bucket")]
    [InlineData("fixed")]
    [InlineData("sliding")]
    [InlineData("configured")]
    public async Task Policies_OfTwoApplications_AllowTogetherWhatTheLimitSays(string policy)
    {
        await using var node = await TestNode.StartAsync();
        await using var one = await StartAsync(node);
        await using var two = await StartAsync(node);

        var statuses = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => (i % 2 == 0 ? one : two).StatusAsync($"/{policy}", ("X-Key", "alice"))));

        // Should the hour turn between two requests, a fixed window begins anew.
        Assert.InRange(statuses.Count(s => s == 200), 10, policy == "fixed" ? 20 : 10);
        Assert.Equal(40, statuses.Count(s => s is 200 or 429));
        Assert.Equal(200, await one.StatusAsync($"/{policy}", ("X-Key", "bob")));
    }

    [Fact]
    public async Task Refusals_SayWhenToComeBack()
    {
        await using var node = await TestNode.StartAsync();
        await using var one = await StartAsync(node);
        await using var two = await StartAsync(node);
        for (var i = 0; i < 10; i++)
            Assert.Equal(200, await one.StatusAsync("/bucket"));

        using var refused = await two.GetAsync("/bucket");

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 360);
        Assert.Equal("0", refused.Headers.GetValues("X-RateLimit-Remaining").Single());
        Assert.Equal("application/problem+json", refused.Content.Headers.ContentType!.MediaType);
        Assert.Equal("bucket", (await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("violated-policies")[0].GetString());
    }

    [Fact]
    public async Task RequestsAtOnce_AreLimitedOverBothApplications_AndComeBackWhenTheyEnd()
    {
        await using var node = await TestNode.StartAsync();
        var gate = new TaskCompletionSource();
        await using var one = await StartAsync(node, gate.Task);
        await using var two = await StartAsync(node, gate.Task);

        var held = new[] { one.GetAsync("/at-once"), two.GetAsync("/at-once") };
        var limit = Limit.Create("at-once", 2, TimeSpan.FromMinutes(1), AlgorithmKind.Concurrency);
        await Eventually.IsTrueAsync(async () => await node.UsedAsync(limit, "everyone") == 2, "both are held");
        Assert.Equal(429, await one.StatusAsync("/at-once"));
        Assert.Equal(429, await two.StatusAsync("/at-once"));

        gate.SetResult();
        Assert.All(await Task.WhenAll(held), response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
        await Eventually.IsTrueAsync(async () => await node.UsedAsync(limit, "everyone") == 0, "both have come back");
        Assert.Equal(200, await two.StatusAsync("/at-once"));
    }

    [Fact]
    public async Task Middleware_OverANetwork_ChargesEveryRequestOnce()
    {
        await using var node = await TestNode.StartAsync();
        await using var one = await StartAsync(node);
        for (var i = 1; i <= 5; i++)
        {
            await one.StatusAsync("/configured", ("X-Key", "carol"));
            Assert.Equal(i, await node.UsedAsync(Limit.Create("configured", 10, Window), "carol"));
        }
    }

    [Fact]
    public async Task Policy_WithALimitThatIsNotSetUp_SaysSo()
    {
        await using var app = await TestApp.StartAsync(
            services => services.AddWeir().UseMemory(),
            app => app.MapGet("/x", () => "x").RequireRateLimiting("x"),
            app => app.UseRouting().UseRateLimiter(),
            services => services.AddRateLimiter(options => options.AddWeirPolicy("x", _ => "all", "nothing")));
        Assert.Equal(500, await app.StatusAsync("/x"));
    }

    private static Task<TestApp> StartAsync(TestNode node, Task? gate = null) => TestApp.StartAsync(
        services => services.AddWeir(weir => weir.AddLimit("configured", 10, Window)).UseNodes(nodes =>
        {
            nodes.Addresses.Add(node.Address);
            nodes.Timeout = TimeSpan.FromSeconds(30);
        }),
        app =>
        {
            foreach (var policy in new[] { "bucket", "fixed", "sliding", "configured" })
                app.MapGet($"/{policy}", () => "allowed").RequireRateLimiting(policy);
            app.MapGet("/at-once", async () =>
            {
                await (gate ?? Task.CompletedTask);
                return "allowed";
            }).RequireRateLimiting("at-once");
        },
        app => app.UseRouting().UseRateLimiter(),
        services => services.AddRateLimiter(options =>
        {
            options.RejectWithWeir();
            options.AddWeirPolicy("configured", KeyOf);
            options.AddPolicy("bucket", context => WeirRateLimitPartition.GetTokenBucketLimiter(context, "bucket", KeyOf(context),
                _ => new TokenBucketRateLimiterOptions { TokenLimit = 10, TokensPerPeriod = 10, ReplenishmentPeriod = Window }));
            options.AddPolicy("fixed", context => WeirRateLimitPartition.GetFixedWindowLimiter(context, "fixed", KeyOf(context),
                _ => new FixedWindowRateLimiterOptions { PermitLimit = 10, Window = Window }));
            options.AddPolicy("sliding", context => WeirRateLimitPartition.GetSlidingWindowLimiter(context, "sliding", KeyOf(context),
                _ => new SlidingWindowRateLimiterOptions { PermitLimit = 10, Window = Window, SegmentsPerWindow = 6 }));
            options.AddPolicy("at-once", context => WeirRateLimitPartition.GetConcurrencyLimiter(context, "at-once", "everyone",
                _ => new ConcurrencyLimiterOptions { PermitLimit = 2 }));
        }));

    private static string KeyOf(HttpContext context) => context.Request.Headers["X-Key"].ToString() is { Length: > 0 } key ? key : "nobody";
}
