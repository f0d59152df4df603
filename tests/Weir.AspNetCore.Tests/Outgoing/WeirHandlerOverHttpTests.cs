using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Weir.AspNetCore.Tests.Running;

namespace Weir.AspNetCore.Tests.Outgoing;

/// <summary>Clients from the factory against real servers.</summary>
public sealed class WeirHandlerOverHttpTests
{
    [Fact]
    public async Task Client_AgainstAnApplicationThatWeirProtects_IsNeverRefused()
    {
        var refused = 0;
        await using var server = await TestApp.StartAsync(
            services => services.AddWeir(weir => weir.AddLimit("ten", 10, TimeSpan.FromSeconds(1), LimitBy.Everyone)).UseMemory(),
            app => app.MapGet("/", () => "x").RequireLimit("ten"),
            app => app.Use(async (context, next) =>
            {
                await next();
                if (context.Response.StatusCode == 429)
                    Interlocked.Increment(ref refused);
            }));
        await using var services = Services(handler => handler.MaxWait = TimeSpan.FromSeconds(60));
        var client = Client(services);
        // The first answer tells the limit.
        (await client.GetAsync(server.Http.BaseAddress)).Dispose();

        var responses = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => client.GetAsync(server.Http.BaseAddress)));

        Assert.All(responses, response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
        // A window that slides gives permits back one by one, of which the server tells only the last: a refusal each time it opens is possible, no more.
        Assert.InRange(refused, 0, 10);
    }

    [Fact]
    public async Task Client_OfTheFactory_RemembersWhenItsHandlersAreMadeAnew()
    {
        var requests = 0;
        await using var server = await ServerAsync(context =>
        {
            Interlocked.Increment(ref requests);
            context.Response.StatusCode = 503;
            context.Response.Headers.RetryAfter = "3600";
        });
        await using var services = Services(_ => { });
        (await Client(services).GetAsync(server.Http.BaseAddress)).Dispose();
        var memory = services.GetRequiredKeyedService<AspNetCore.Outgoing.OutgoingLimits>("api");
        using var fresh = new HttpClient(new WeirHandler(memory) { InnerHandler = new SocketsHttpHandler { UseProxy = false } });
        await Assert.ThrowsAsync<OutgoingLimitException>(() => fresh.GetAsync(server.Http.BaseAddress));
        await Assert.ThrowsAsync<OutgoingLimitException>(() => Client(services).GetAsync(server.Http.BaseAddress));
        Assert.Equal(1, requests);
    }

    [Fact]
    public async Task Clients_OfTwoProcesses_KeepToOneLimitOfOurs()
    {
        await using var node = await TestNode.StartAsync();
        var requests = 0;
        await using var server = await ServerAsync(_ => Interlocked.Increment(ref requests));
        var limit = Limit.Create("their-api", 10, TimeSpan.FromHours(1));
        await using var one = Services(Use, node);
        await using var two = Services(Use, node);

        var sending = Enumerable.Range(0, 30).Select(i => Client(i % 2 == 0 ? one : two).GetAsync(server.Http.BaseAddress)).ToList();
        var responses = await Task.WhenAll(sending);

        Assert.Equal(10, responses.Count(r => r.StatusCode == HttpStatusCode.OK));
        Assert.All(responses.Where(r => r.StatusCode != HttpStatusCode.OK), r => Assert.True(r.IsNotSent()));
        Assert.Equal(10, requests);

        void Use(WeirHandlerOptions handler)
        {
            handler.Limit = limit;
            handler.LimitKey = _ => "all";
            handler.WhenLimited = WhenLimited.Respond;
        }
    }

    [Fact]
    public async Task Requests_OfALimitAtOnce_GiveTheirPermitsBack()
    {
        await using var node = await TestNode.StartAsync();
        var (now, most) = (0, 0);
        var gate = new Lock();
        await using var server = await TestApp.StartAsync(services => services.AddWeir().UseMemory(), app => app.MapGet("/", async () =>
        {
            lock (gate)
                most = Math.Max(most, ++now);
            await Task.Delay(5);
            lock (gate)
                now--;
        }));
        await using var services = Services(
            handler =>
            {
                handler.Limit = Limit.Create("their-workers", 3, TimeSpan.FromMinutes(1), AlgorithmKind.Concurrency);
                handler.MaxWait = TimeSpan.FromMinutes(1);
            },
            node);

        var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Client(services).GetAsync(server.Http.BaseAddress)));

        Assert.All(responses, response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
        Assert.InRange(most, 1, 3);
    }

    [Fact]
    public async Task Options_OutOfRange_StopTheStart()
    {
        await using var services = Services(handler => (handler.MaxWaiting, handler.Limit) = (-1, Limit.Create("x", 1, TimeSpan.FromSeconds(1))));
        var problem = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IStartupValidator>().Validate());
        Assert.Equal(2, problem.Failures.Count());
        Assert.Contains("MaxWaiting", problem.Message);
        Assert.Contains("AddWeir", problem.Message);
    }

    private static Task<TestApp> ServerAsync(Action<HttpContext> answer) => TestApp.StartAsync(
        services => services.AddWeir().UseMemory(), app => app.MapGet("/", (HttpContext context) => answer(context)));

    private static ServiceProvider Services(Action<WeirHandlerOptions> configure, TestNode? node = null)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        if (node is not null)
        {
            services.AddWeir().UseNodes(nodes =>
            {
                nodes.Addresses.Add(node.Address);
                nodes.Timeout = TimeSpan.FromSeconds(30);
            });
        }
        services.AddHttpClient("api").ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { UseProxy = false }).AddWeirHandler(configure);
        return services.BuildServiceProvider();
    }

    private static HttpClient Client(ServiceProvider services) => services.GetRequiredService<IHttpClientFactory>().CreateClient("api");
}
