using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Controllers;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Weir.TestKit;

namespace Weir.AspNetCore.Tests;

/// <summary>The code of <c>docs/aspnetcore.md</c>, compiled and run. A test compares the texts.</summary>
public sealed partial class DocumentationTests
{
    [Fact]
    public void Code_IsThatOfThisFile()
    {
        var page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "aspnetcore.md"));
        var source = Squeeze(string.Concat(Directory.GetFiles(AppContext.BaseDirectory, "DocumentationTests*.cs").Select(File.ReadAllText)));
        var blocks = Blocks().Matches(page);
        Assert.True(blocks.Count >= 10);
        Assert.All(blocks, block => Assert.Contains(Squeeze(block.Groups["code"].Value), source, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Start_Limits()
    {
        await using var app = Start(["--urls=http://127.0.0.1:0", "--Logging:LogLevel:Default=None", "--Logging:LogLevel:Microsoft.AspNetCore=None"]);
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()), Timeout = TimeSpan.FromSeconds(30) };
        var since = TimeProvider.System.GetTimestamp();

        for (var i = 0; i < 100; i++)
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/")).StatusCode);
        var last = await client.GetAsync("/");

        // On a very busy machine the minute may be over.
        Assert.True(last.StatusCode == HttpStatusCode.TooManyRequests || TimeProvider.System.GetElapsedTime(since) > TimeSpan.FromSeconds(59));
    }

    [Fact]
    public async Task Endpoints_AreLimitedAsThePageSays()
    {
        var builder = Builder();
        Limits(builder);
        ForTests(builder, new ManualTimeProvider());
        builder.Services.AddControllers().ConfigureApplicationPartManager(static m => m.FeatureProviders.Add(new OnlyReports()));
        await using var app = builder.Build();
        app.UseWeir();
        Endpoints(app);
        app.MapControllers();
        await RunAsync(app, async client =>
        {
            Assert.Equal("4", (await client.PostAsync("/login", null)).Headers.GetValues("X-RateLimit-Remaining").Single());
            Assert.Equal("949", (await client.GetAsync("/export")).Headers.GetValues("X-RateLimit-Remaining").Single());
            Assert.False((await client.GetAsync("/health")).Headers.Contains("X-RateLimit-Limit"));
            Assert.Equal("948", (await client.GetAsync("/reports")).Headers.GetValues("X-RateLimit-Remaining").Single());
            Assert.False((await client.GetAsync("/reports/status")).Headers.Contains("X-RateLimit-Limit"));
        });
    }

    [Fact]
    public async Task Tokens_AreCorrectedAndTimeIsTheTests()
    {
        var time = new ManualTimeProvider();
        var builder = Builder();
        Tokens(builder);
        ForTests(builder, time);
        builder.Services.AddSingleton<IModel, Model>();
        await using var app = builder.Build();
        app.UseWeir();
        Chat(app);
        await RunAsync(app, async client =>
        {
            // Each takes 40,000 of 100,000 at first and 7 in the end.
            for (var i = 0; i < 60; i++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, "/chat") { Headers = { { "X-Max-Tokens", "40000" } } };
                Assert.Equal("seven", await (await client.SendAsync(request)).Content.ReadAsStringAsync());
            }
            var refused = await client.PostAsync("/chat", null);
            Assert.Contains("requests", refused.Headers.GetValues("RateLimit-Policy").Single());
            time.Advance(TimeSpan.FromMinutes(1));
            Assert.Equal(HttpStatusCode.OK, (await client.PostAsync("/chat", null)).StatusCode);
        });
    }

    [Fact]
    public async Task Client_IsUsedAsThePageSays()
    {
        var builder = Builder();
        builder.Services.AddWeir().UseMemory();
        builder.Services.AddSingleton<Mailer>();
        await using var app = builder.Build();
        var mailer = app.Services.GetRequiredService<Mailer>();

        Assert.True(await mailer.SendAsync("fails"));
        for (var i = 0; i < 3; i++)
            Assert.True(await mailer.SendAsync("a@example.org"));
        Assert.False(await mailer.SendAsync("a@example.org"));
        for (var i = 0; i < 9; i++)
            Assert.True(await mailer.SendAsync("fails"));
    }

    [Fact]
    public async Task SetUps_AreValid()
    {
        foreach (var setUp in new Action<WebApplicationBuilder>[] { Nodes, FromConfiguration })
        {
            var builder = Builder();
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Weir:Limits:api:Permits"] = "7" });
            setUp(builder);
            builder.WebHost.UseTestServer();
            await using var app = builder.Build();
            app.UseWeir();
            app.MapGet("/", () => "").RequireLimit("api");
            await RunAsync(app, static _ => Task.CompletedTask);
        }
    }

    private static WebApplication Start(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Services.AddWeir(limits => limits.AddLimit("api", permits: 100, window: TimeSpan.FromMinutes(1)));
        var app = builder.Build();
        app.UseWeir();
        app.MapGet("/", () => "hello").RequireLimit("api");
        return app;
    }

    private static void Nodes(WebApplicationBuilder builder)
    {
        builder.Services.AddWeir(limits => limits.AddLimit("api", 100, TimeSpan.FromMinutes(1)))
            .UseNodes("http://weir-1:8000", "http://weir-2:8000");
    }

    private static void Limits(WebApplicationBuilder builder)
    {
        builder.Services.AddWeir(limits => limits
            .AddLimit("login", 5, TimeSpan.FromMinutes(1), LimitBy.Address)
            .AddLimit("api", 1_000, TimeSpan.FromHours(1), LimitBy.User)
            .AddLimit("partners", 50, TimeSpan.FromSeconds(1), LimitBy.ApiKey, limit =>
            {
                limit.Algorithm = AlgorithmKind.TokenBucket;
                limit.Burst = 500;
            })
            .AddLimit("tenant", limit =>
            {
                limit.Permits = 10_000;
                limit.Key = context => context.Request.RouteValues["tenant"]?.ToString();
            })
            .AddLimit("everything", 5_000, TimeSpan.FromSeconds(1), LimitBy.Everyone, limit => limit.Global = true));
    }

    private static void Endpoints(WebApplication app)
    {
        app.MapPost("/login", () => Results.Ok()).RequireLimit("login").RequireLimit("api");
        app.MapGet("/export", () => Results.Ok()).RequireLimit("api", cost: 50);
        app.MapGet("/health", () => "ok").WithoutLimits();
    }

    private static void FromConfiguration(WebApplicationBuilder builder)
    {
        builder.Services.AddWeir().UseNodes("http://weir:8000");
        builder.Services.Configure<WeirOptions>(builder.Configuration.GetSection("Weir"));
    }

    private static void Tokens(WebApplicationBuilder builder)
    {
        builder.Services.AddWeir(limits => limits
            .AddLimit("tokens", 100_000, TimeSpan.FromMinutes(1), LimitBy.User, limit =>
            {
                limit.Reserve = true;
                limit.CostOf = context => int.TryParse(context.Request.Headers["X-Max-Tokens"], out var most) ? most : 4_000;
            })
            .AddLimit("requests", 60, TimeSpan.FromMinutes(1), LimitBy.User)
            .AddLimit("at-once", 4, TimeSpan.FromMinutes(1), LimitBy.User, limit => limit.Algorithm = AlgorithmKind.Concurrency));
    }

    private static void Chat(WebApplication app)
    {
        app.MapPost("/chat", async (HttpContext context, IModel model) =>
        {
            var answer = await model.AskAsync(context.Request.Body);
            context.SetLimitCost(answer.Tokens);
            return answer.Text;
        }).RequireLimit("tokens").RequireLimit("requests").RequireLimit("at-once");
    }

    private static void ForTests(WebApplicationBuilder builder, ManualTimeProvider time)
    {
        builder.Services.AddWeir().UseMemory();
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.WebHost.UseTestServer();
    }

    private static WebApplicationBuilder Builder() => WebApplication.CreateBuilder(["--Logging:LogLevel:Default=None", "--Logging:LogLevel:Microsoft.AspNetCore=None"]);

    private static async Task RunAsync(WebApplication app, Func<HttpClient, Task> test)
    {
        await app.StartAsync();
        using var client = app.GetTestClient();
        await test(client);
        await app.StopAsync();
    }

    private static string Squeeze(string text) => Spaces().Replace(text, " ").Trim();

    [GeneratedRegex("```csharp\n(?<code>.*?)```", RegexOptions.Singleline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Blocks();

    [GeneratedRegex(@"\s+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Spaces();

    /// <summary>The page's controller is nested here, where it is not looked for.</summary>
    private sealed class OnlyReports : ControllerFeatureProvider
    {
        protected override bool IsController(System.Reflection.TypeInfo typeInfo) => typeInfo == typeof(ReportsController);
    }

    [ApiController, Route("reports"), Limit("api")]
    public sealed class ReportsController : ControllerBase
    {
        [HttpGet, Limit("tenant", Cost = 10)]
        public IActionResult List() => Ok();

        [HttpGet("status"), NoLimit]
        public IActionResult Status() => Ok();
    }

    public sealed class Mailer(IWeirClient weir)
    {
        private static readonly Limit PerRecipient = Limit.Create("mail", permits: 3, window: TimeSpan.FromHours(1));

        public async Task<bool> SendAsync(string recipient)
        {
            var result = await weir.CheckAsync(new LimitCharge(PerRecipient, recipient));
            if (!result.IsAllowed)
                return false;
            if (!await TrySendAsync(recipient))
                await weir.RefundAsync(result.Receipt!);
            return true;
        }

        private static Task<bool> TrySendAsync(string recipient) => Task.FromResult(recipient != "fails");
    }

    public sealed record ModelAnswer(string Text, int Tokens);

    public interface IModel
    {
        Task<ModelAnswer> AskAsync(Stream question);
    }

    private sealed class Model : IModel
    {
        public Task<ModelAnswer> AskAsync(Stream question) => Task.FromResult(new ModelAnswer("seven", 7));
    }
}
