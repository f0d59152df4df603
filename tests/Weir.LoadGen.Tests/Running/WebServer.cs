using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Weir.LoadGen.Tests.Running;

/// <summary>A server in this process that answers as a test says.</summary>
internal sealed class WebServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private long _requests;
    private int _underWay;
    private int _mostUnderWay;

    private WebServer(RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.Run(async context =>
        {
            Interlocked.Increment(ref _requests);
            var now = Interlocked.Increment(ref _underWay);
            for (var most = _mostUnderWay; now > most; most = _mostUnderWay)
                Interlocked.CompareExchange(ref _mostUnderWay, now, most);
            try
            {
                await answer(context);
            }
            finally
            {
                Interlocked.Decrement(ref _underWay);
            }
        });
    }

    public string Url { get; private set; } = "";

    public long Requests => Volatile.Read(ref _requests);

    public int MostUnderWay => Volatile.Read(ref _mostUnderWay);

    public static async Task<WebServer> StartAsync(RequestDelegate answer)
    {
        var server = new WebServer(answer);
        await server._app.StartAsync();
        server.Url = server._app.Urls.Single();
        return server;
    }

    /// <summary>Answers 200 to everybody.</summary>
    public static Task<WebServer> StartAsync() => StartAsync(static _ => Task.CompletedTask);

    /// <summary>Closes everything at once, also what is under way.</summary>
    public async Task KillAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        await _app.DisposeAsync();
    }
}
