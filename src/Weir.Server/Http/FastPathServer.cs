using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace Weir.Server.Http;

/// <summary>
/// Kestrel with a shortcut: calls that decide go straight to <see cref="CheckEndpoints"/>, on the thread that received them, which other connections need too: they
/// never block. Everything else goes through the framework's pipeline, on the pool.
/// </summary>
internal sealed class FastPathServer(IServer kestrel, CheckEndpoints endpoints) : IServer
{
    // Checks of one connection, one after the other, after which others get their turn.
    private const int LongRun = 64;

    [ThreadStatic]
    private static IFeatureCollection? _running;

    [ThreadStatic]
    private static int _run;

    public IFeatureCollection Features => kestrel.Features;

    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull =>
        kestrel.StartAsync(new Application<TContext>(application, endpoints), cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => kestrel.StopAsync(cancellationToken);

    public void Dispose() => kestrel.Dispose();

    // Whether a connection whose requests wait, each before the one before is answered, has kept this thread for long: nobody else's are read meanwhile.
    private static bool IsTimeForOthers(IFeatureCollection connection)
    {
        if (!ReferenceEquals(connection, _running))
            (_running, _run) = (connection, 0);
        return ++_run % LongRun == 0;
    }

    /// <summary>One request: the framework's context, or none when the shortcut takes it.</summary>
    private readonly record struct Context<TContext>(IFeatureCollection Features, TContext? Inner, bool IsCheck);

    private sealed class Application<TContext>(IHttpApplication<TContext> inner, CheckEndpoints endpoints) : IHttpApplication<Context<TContext>>
        where TContext : notnull
    {
        public Context<TContext> CreateContext(IFeatureCollection contextFeatures) =>
            CheckEndpoints.Owns(contextFeatures.GetRequiredFeature<IHttpRequestFeature>())
                ? new Context<TContext>(contextFeatures, default, true)
                : new Context<TContext>(contextFeatures, inner.CreateContext(contextFeatures), false);

        public Task ProcessRequestAsync(Context<TContext> context) =>
            !context.IsCheck ? ProcessOnPoolAsync(context.Inner!)
            : IsTimeForOthers(context.Features) ? CheckOnPoolAsync(context.Features)
            : endpoints.HandleAsync(context.Features);

        private async Task CheckOnPoolAsync(IFeatureCollection features)
        {
            await Task.Yield();
            await endpoints.HandleAsync(features);
        }

        private async Task ProcessOnPoolAsync(TContext context)
        {
            await Task.Yield();
            await inner.ProcessRequestAsync(context);
        }

        public void DisposeContext(Context<TContext> context, Exception? exception)
        {
            if (!context.IsCheck)
                inner.DisposeContext(context.Inner!, exception);
        }
    }
}
