using System.Net;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Weir.TestKit;

namespace Weir.AspNetCore.Tests;

/// <summary>What the page says of limiters of .NET's own, and of limits of others.</summary>
public sealed partial class DocumentationTests
{
    [Fact]
    public async Task AddRateLimiter_IsUsedAsThePageSays()
    {
        var builder = Builder();
        RateLimiter(builder);
        ForTests(builder, new ManualTimeProvider());
        await using var app = builder.Build();
        app.UseRateLimiter();
        app.MapGet("/", () => "").RequireRateLimiting("api");
        await RunAsync(app, async client =>
        {
            for (var i = 0; i < 100; i++)
                Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/")).StatusCode);
            var refused = await client.GetAsync("/");
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            Assert.Equal("1", refused.Headers.GetValues("Retry-After").Single());
        });
    }

    [Fact]
    public async Task Handlers_AreAddedAsThePageSays()
    {
        foreach (var (name, setUp) in new (string, Action<WebApplicationBuilder>)[] { ("github", GitHub), ("maps", Maps) })
        {
            var builder = Builder();
            setUp(builder);
            builder.Services.AddWeir().UseMemory();
            var requests = 0;
            builder.Services.AddHttpClient(name).ConfigurePrimaryHttpMessageHandler(() => new Outgoing.ScriptedServer((_, _) =>
            {
                requests++;
                return Outgoing.ScriptedServer.Answer(HttpStatusCode.TooManyRequests, ("Retry-After", "60"));
            }));
            builder.WebHost.UseTestServer();
            await using var app = builder.Build();
            using var client = app.Services.GetRequiredService<IHttpClientFactory>().CreateClient(name);
            Assert.Equal(HttpStatusCode.TooManyRequests, (await client.GetAsync("https://api.github.com/")).StatusCode);
            await Assert.ThrowsAsync<OutgoingLimitException>(() => client.GetAsync("https://api.github.com/"));
            Assert.Equal(1, requests);
        }
    }

    private static void RateLimiter(WebApplicationBuilder builder)
    {
        builder.Services.AddWeir().UseNodes("http://weir:8000");
        builder.Services.AddRateLimiter(options =>
        {
            options.AddPolicy("api", context => WeirRateLimitPartition.GetTokenBucketLimiter(context, "api", UserOf(context),
                _ => new TokenBucketRateLimiterOptions { TokenLimit = 100, TokensPerPeriod = 10, ReplenishmentPeriod = TimeSpan.FromSeconds(1) }));
            options.RejectWithWeir();
        });
    }

    private static string UserOf(HttpContext context) => context.User.Identity?.Name ?? "anonymous";

    private static void GitHub(WebApplicationBuilder builder)
    {
        builder.Services.AddHttpClient("github", client => client.BaseAddress = new Uri("https://api.github.com"))
            .AddWeirHandler(handler => handler.MaxWait = TimeSpan.FromSeconds(20));
    }

    private static void Maps(WebApplicationBuilder builder)
    {
        builder.Services.AddWeir().UseRedis("redis://localhost:6379");
        builder.Services.AddHttpClient("maps").AddWeirHandler(handler =>
        {
            handler.Limit = Limit.Create("maps", permits: 50, window: TimeSpan.FromSeconds(1));
            handler.LimitKey = request => request.RequestUri!.Host;
        });
    }
}
