using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Weir.AspNetCore.Tests.Running;

/// <summary>An application on Kestrel, on a free port of this machine.</summary>
internal sealed class TestApp : IAsyncDisposable
{
    private TestApp(WebApplication app, CollectedLogs logs)
    {
        (App, Logs) = (app, logs);
        Http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false })
        {
            BaseAddress = new Uri(app.Urls.Single()),
            Timeout = TimeSpan.FromSeconds(30),
        };
    }

    public WebApplication App { get; }

    public HttpClient Http { get; }

    public CollectedLogs Logs { get; }

    /// <param name="weir">Adds Weir.</param>
    /// <param name="endpoints">Maps endpoints, behind <c>UseWeir</c>.</param>
    /// <param name="before">Puts something before <c>UseWeir</c>.</param>
    /// <param name="services">Adds other services.</param>
    public static async Task<TestApp> StartAsync(
        Action<IServiceCollection> weir, Action<WebApplication> endpoints, Action<WebApplication>? before = null, Action<IServiceCollection>? services = null)
    {
        var (app, logs) = Build(weir, endpoints, before, services);
        try
        {
            await app.StartAsync();
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
        return new TestApp(app, logs);
    }

    public async Task<HttpResponseMessage> GetAsync(string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await Http.SendAsync(request);
    }

    public async Task<int> StatusAsync(string path, params (string Name, string Value)[] headers)
    {
        using var response = await GetAsync(path, headers);
        return (int)response.StatusCode;
    }

    /// <summary>The statuses of several requests, one after the other.</summary>
    public async Task<string> StatusesAsync(int count, string path, params (string Name, string Value)[] headers)
    {
        var statuses = new List<int>();
        for (var i = 0; i < count; i++)
            statuses.Add(await StatusAsync(path, headers));
        return string.Join(' ', statuses);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await App.DisposeAsync();
    }

    private static (WebApplication App, CollectedLogs Logs) Build(
        Action<IServiceCollection> weir, Action<WebApplication> endpoints, Action<WebApplication>? before, Action<IServiceCollection>? services)
    {
        var builder = WebApplication.CreateSlimBuilder();
        var logs = new CollectedLogs();
        builder.Logging.ClearProviders().AddProvider(logs);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        weir(builder.Services);
        services?.Invoke(builder.Services);
        var app = builder.Build();
        before?.Invoke(app);
        app.UseWeir();
        endpoints(app);
        return (app, logs);
    }
}

/// <summary>Everything of level Warning and above that an application has logged.</summary>
internal sealed class CollectedLogs : ILoggerProvider, ILogger
{
    public ConcurrentQueue<string> Lines { get; } = new();

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            Lines.Enqueue(formatter(state, exception));
    }

    public void Dispose()
    {
    }
}
