using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Weir.AspNetCore.Tests.Running;
using Weir.TestKit;

namespace Weir.AspNetCore.Tests.Requests;

/// <summary>The middleware from end to end, over this process' memory.</summary>
public sealed class MiddlewareTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task Limit_OfAnEndpoint_IsEnforcedThereOnly()
    {
        await using var app = await TestApp.StartAsync(
            s => s.AddWeir(o => o.AddLimit("login", 2, Hour)),
            a =>
            {
                a.MapGet("/login", () => "in").RequireLimit("login");
                a.MapGet("/free", () => "free");
            });

        Assert.Equal("200 200 429 429", await app.StatusesAsync(4, "/login"));
        Assert.Equal("200 200 200", await app.StatusesAsync(3, "/free"));
    }

    [Fact]
    public async Task Headers_SpeakOfTheLimitThatBinds()
    {
        await using var app = await TestApp.StartAsync(
            s => s.AddWeir(o => o.AddLimit("wide", 100, Hour).AddLimit("narrow", 2, Hour)),
            a => a.MapGet("/", () => "hello").RequireLimit("wide").RequireLimit("narrow"));

        using var allowed = await app.GetAsync("/");

        Assert.Equal(
            "X-RateLimit-Limit=2 X-RateLimit-Remaining=1 X-RateLimit-Reset=3600 RateLimit-Policy=\"narrow\";q=2;w=3600 RateLimit=\"narrow\";r=1;t=3600 Retry-After=",
            HeadersOf(allowed));
        Assert.Equal("hello", await allowed.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Refusal_IsAProblemThatSaysWhenToComeBack()
    {
        await using var app = await TestApp.StartAsync(
            s => s.AddWeir(o => o.AddLimit("login", 1, Hour)), a => a.MapGet("/", () => "in").RequireLimit("login"));
        await app.StatusAsync("/");

        using var refused = await app.GetAsync("/");
        var problem = JsonDocument.Parse(await refused.Content.ReadAsStringAsync()).RootElement;

        Assert.Equal((429, "application/problem+json"), ((int)refused.StatusCode, refused.Content.Headers.ContentType!.ToString()));
        Assert.Equal((429, "[\"login\"]"), (problem.GetProperty("status").GetInt32(), problem.GetProperty("violated-policies").GetRawText()));
        Assert.Contains("'login'", problem.GetProperty("detail").GetString());
        Assert.InRange(problem.GetProperty("retry_after_ms").GetInt64(), 3_500_000, 3_600_000);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromMinutes(58), Hour);
        Assert.True(refused.Headers.CacheControl!.NoStore);
    }

    [Fact]
    public async Task SeveralLimits_AreChargedAllOrNone()
    {
        await using var app = await TestApp.StartAsync(
            s => s.AddWeir(o => o.AddLimit("one", 1, Hour).AddLimit("five", 5, Hour)),
            a =>
            {
                a.MapGet("/both", () => "").RequireLimit("five").RequireLimit("one");
                a.MapGet("/five", () => "").RequireLimit("five");
            });

        Assert.Equal("200 429 429 429", await app.StatusesAsync(4, "/both"));
        Assert.Equal("200 200 200 200 429", await app.StatusesAsync(5, "/five"));
    }

    [Fact]
    public async Task Global_AppliesToEverythingButWhatIsExempt()
    {
        await using var app = await TestApp.StartAsync(
            s => s.AddWeir(o => o.AddLimit("all", 2, Hour, LimitBy.Everyone, l => l.Global = true)),
            a =>
            {
                a.MapGet("/a", () => "");
                a.MapGet("/health", () => "").WithoutLimits();
            });

        Assert.Equal("200 404 429 429", $"{await app.StatusAsync("/a")} {await app.StatusAsync("/nowhere")} {await app.StatusesAsync(2, "/a")}");
        Assert.Equal(200, await app.StatusAsync("/health"));
    }

    [Fact]
    public async Task Attributes_OnHandlersAreUnderstood()
    {
        await using var app = await TestApp.StartAsync(
            s => s.AddWeir(o => o.AddLimit("all", 3, Hour, LimitBy.Everyone, l => l.Global = true).AddLimit("login", 2, Hour)),
            a =>
            {
                a.MapGet("/login", [Limit("login", Cost = 2)] () => "");
                a.MapGet("/free", [NoLimit] () => "");
            });

        Assert.Equal("200 429", await app.StatusesAsync(2, "/login"));
        Assert.Equal("200 200 200 200", await app.StatusesAsync(4, "/free"));
    }

    [Fact]
    public async Task Cost_OfTheEndpointWinsOverThatOfTheLimit()
    {
        await using var app = await TestApp.StartAsync(
            s => s.AddWeir(o => o.AddLimit("points", 10, Hour, LimitBy.Address, l => l.CostOf = static c => int.Parse(c.Request.Query["n"]!))),
            a =>
            {
                a.MapGet("/asked", () => "").RequireLimit("points");
                a.MapGet("/fixed", () => "").RequireLimit("points", 4);
            });

        Assert.Equal("200 200 429", $"{await app.StatusAsync("/asked?n=3")} {await app.StatusAsync("/fixed")} {await app.StatusAsync("/asked?n=4")}");
        using var last = await app.GetAsync("/asked?n=-5");
        Assert.Equal((200, "3"), ((int)last.StatusCode, last.Headers.GetValues("X-RateLimit-Remaining").Single()));
        using var never = await app.GetAsync("/asked?n=11");
        Assert.Equal((429, false), ((int)never.StatusCode, never.Headers.Contains("Retry-After")));
    }

    [Fact]
    public async Task Shadow_CountsAndNeverRefuses()
    {
        await using var app = await TestApp.StartAsync(
            s => s.AddWeir(o => o.AddLimit("trial", 1, Hour, LimitBy.Address, l => l.Shadow = true)), a => a.MapGet("/", () => "").RequireLimit("trial"));

        Assert.Equal("200 200 200", await app.StatusesAsync(3, "/"));
    }

    [Fact]
    public async Task Reserve_ChargesTheEstimateAndThenWhatItWas()
    {
        await using var app = await TestApp.StartAsync(
            s => s.AddWeir(o => o
                .AddLimit("tokens", 100, Hour, LimitBy.Address, l => (l.Reserve, l.Cost) = (true, 60))
                .AddLimit("requests", 3, Hour)),
            a => a.MapGet("/ask", (HttpContext c, int? used) => used is { } n ? c.SetLimitCost(n) : false).RequireLimit("tokens").RequireLimit("requests"));

        Assert.Equal(200, await app.StatusAsync("/ask?used=10"));
        Assert.Equal(200, await app.StatusAsync("/ask?used=25"));
        using var third = await app.GetAsync("/ask");
        using var fourth = await app.GetAsync("/ask");

        // 100 − 10 − 25 − 60; and the estimate stays where nobody says what it was. The requests were not corrected with the tokens.
        Assert.Equal((200, "0"), ((int)third.StatusCode, third.Headers.GetValues("X-RateLimit-Remaining").Single()));
        Assert.Equal((429, "tokens"), ((int)fourth.StatusCode, PolicyOf(fourth)));
    }

    [Fact]
    public async Task Reserve_AfterAnException_IsCorrectedAsToldSoFar()
    {
        await using var app = await TestApp.StartAsync(
            s => s.AddWeir(o => o.AddLimit("tokens", 100, Hour, LimitBy.Address, l => (l.Reserve, l.Cost) = (true, 60))),
            a => a.MapGet("/fail", string (HttpContext c) =>
            {
                c.SetLimitCost(5);
                throw new InvalidOperationException("as the test wants it");
            }).RequireLimit("tokens"));

        Assert.Equal("500 500 500", await app.StatusesAsync(3, "/fail"));
    }

    [Fact]
    public async Task Concurrency_EndsWithTheRequest()
    {
        var entered = new SemaphoreSlim(0);
        var leave = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var app = await TestApp.StartAsync(
            s => s.AddWeir(o => o.AddLimit("jobs", 2, TimeSpan.FromMinutes(1), LimitBy.Everyone, l => l.Algorithm = AlgorithmKind.Concurrency)),
            a => a.MapGet("/job", async () =>
            {
                entered.Release();
                await leave.Task;
                return "";
            }).RequireLimit("jobs"));

        var first = app.StatusAsync("/job");
        var second = app.StatusAsync("/job");
        await entered.WaitAsync(TimeSpan.FromSeconds(30));
        await entered.WaitAsync(TimeSpan.FromSeconds(30));
        var third = await app.StatusAsync("/job");
        leave.SetResult();

        Assert.Equal((429, 200, 200), (third, await first, await second));
        Assert.Equal("200 200 200", await app.StatusesAsync(3, "/job"));
    }

    [Fact]
    public async Task Concurrency_OfALongRequest_IsRenewed()
    {
        var time = new ManualTimeProvider();
        var entered = new SemaphoreSlim(0);
        var leave = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var app = await TestApp.StartAsync(
            s => s.AddWeir(o => o.AddLimit("jobs", 1, TimeSpan.FromSeconds(30), LimitBy.Everyone, l => l.Algorithm = AlgorithmKind.Concurrency)),
            a => a.MapGet("/job", async () =>
            {
                entered.Release();
                await leave.Task;
                return "";
            }).RequireLimit("jobs"),
            services: s => s.AddSingleton<TimeProvider>(time));
        var first = app.StatusAsync("/job");
        await entered.WaitAsync(TimeSpan.FromSeconds(30));

        for (var i = 0; i < 20; i++)
            time.Advance(TimeSpan.FromSeconds(9));
        var second = await app.StatusAsync("/job");
        leave.SetResult();

        Assert.Equal((429, 200, 200), (second, await first, await app.StatusAsync("/job")));
    }

    [Fact]
    public async Task OnRefused_WritesItsOwnAnswer()
    {
        await using var app = await TestApp.StartAsync(
            s => s.AddWeir(o =>
            {
                o.AddLimit("login", 0, Hour);
                o.OnRefused = static (context, result) => context.Response.WriteAsync($"no: {result.Name}");
            }),
            a => a.MapGet("/", () => "").RequireLimit("login"));

        using var refused = await app.GetAsync("/");

        Assert.Equal((429, "no: login"), ((int)refused.StatusCode, await refused.Content.ReadAsStringAsync()));
    }

    [Theory]
    [InlineData(LimitHeaderKinds.None, "Retry-After")]
    [InlineData(LimitHeaderKinds.XRateLimit, "X-RateLimit-Limit X-RateLimit-Remaining X-RateLimit-Reset Retry-After")]
    [InlineData(LimitHeaderKinds.Standard, "RateLimit-Policy RateLimit Retry-After")]
    public async Task Headers_AreThoseThatWereChosen(LimitHeaderKinds kinds, string expected)
    {
        await using var app = await TestApp.StartAsync(
            s => s.AddWeir(o =>
            {
                o.AddLimit("login", 1, Hour);
                o.Headers = kinds;
            }),
            a => a.MapGet("/", () => "").RequireLimit("login"));
        await app.StatusAsync("/");

        using var refused = await app.GetAsync("/");

        Assert.Equal(expected, string.Join(' ', Names.Where(refused.Headers.Contains)));
    }

    private static readonly string[] Names = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit-Policy", "RateLimit", "Retry-After"];

    private static string HeadersOf(HttpResponseMessage response) =>
        string.Join(' ', Names.Select(n => $"{n}={(response.Headers.TryGetValues(n, out var values) ? values.Single() : "")}"));

    private static string PolicyOf(HttpResponseMessage response) => response.Headers.GetValues("RateLimit-Policy").Single().Split('"')[1];
}
