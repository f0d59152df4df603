using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using AgentApi.Cache;
using AgentApi.Configuration;
using AgentApi.Data;
using AgentApi.Endpoints;
using AgentApi.Health;
using AgentApi.Http;
using AgentApi.Limiting;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Weir.AspNetCore;

namespace AgentApi.Hosting;

/// <summary>The service: everything composed, started and stopped here.</summary>
internal static class AgentHost
{
    /// <summary>Runs until SIGTERM or Ctrl-C.</summary>
    /// <returns>The exit code: 0 after a clean stop, 1 when the service could not start. The reason was written to standard error.</returns>
    public static async Task<int> RunAsync(AgentConfig config)
    {
        await using var app = Compose(config);
        try
        {
            if (!await PrepareAsync(app, config))
                return 0;
            await app.StartAsync();
        }
        catch (StartException e)
        {
            await Console.Error.WriteLineAsync($"agent-api: {e.Message}");
            return 1;
        }
        catch (WeirOptionsException e)
        {
            foreach (var problem in e.Problems)
                await Console.Error.WriteLineAsync($"agent-api: {problem}");
            return 1;
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            await Console.Error.WriteLineAsync($"agent-api: port {config.Port} on {config.Address} is in use. Stop what listens there, or choose another with PORT.");
            return 1;
        }
        catch (SocketException e)
        {
            await Console.Error.WriteLineAsync($"agent-api: cannot listen on {config.Address}, port {config.Port}: {e.Message}. Choose others with LISTEN_ADDRESS and PORT.");
            return 1;
        }
        Announce(app, config);
        await app.WaitForShutdownAsync();
        return 0;
    }

    private static WebApplication Compose(AgentConfig config)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = "agent-api", ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        AddLogging(builder.Logging, config);
        AddServices(builder.Services, config);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = BodyReader.MaxBytes;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Listen(new IPEndPoint(config.Address, config.Port));
        });
        var app = builder.Build();
        Pipeline.Use(app, config);
        app.Services.GetRequiredService<HealthEndpoints>().Map(app);
        app.Services.GetRequiredService<InfoEndpoints>().Map(app);
        app.Services.GetRequiredService<ConversationEndpoints>().Map(app);
        return app;
    }

    private static void AddLogging(ILoggingBuilder logging, AgentConfig config)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(config.LogLevel);
        // The framework tells of every request at info; that is for looking for mistakes.
        if (config.LogLevel == LogLevel.Information)
            logging.AddFilter("Microsoft", LogLevel.Warning);
        // Why a start failed is said on standard error, in one line.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        logging.AddSimpleConsole(static console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
        });
    }

    private static void AddServices(IServiceCollection services, AgentConfig config)
    {
        services.AddSingleton(config).AddSingleton(config.Database).AddSingleton(TimeProvider.System).AddSingleton(Identity.Find(config)).AddSingleton<AgentState>();
        services.AddSingleton<Database>().AddSingleton<Migrator>().AddSingleton<UserStore>().AddSingleton<ConversationStore>();
        services.AddSingleton<RedisCache>().AddSingleton<VisitCounter>().AddSingleton<SessionStore>();
        services.AddSingleton<HealthProbe>().AddSingleton<StatsReader>().AddSingleton<Answers>();
        services.AddSingleton<HealthEndpoints>().AddSingleton<InfoEndpoints>().AddSingleton<ConversationEndpoints>();
        services.AddLimits(config.Limiter);
        services.AddHostedService<AgentLifetime>();
        services.Configure<HostOptions>(o => o.ShutdownTimeout = config.Drain + config.ShutdownGrace);
    }

    /// <summary>Does what must be done before the first request is served.</summary>
    /// <returns>False when the process was told to stop meanwhile.</returns>
    private static async Task<bool> PrepareAsync(WebApplication app, AgentConfig config)
    {
        using var stop = new CancellationTokenSource();
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        try
        {
            await new DatabaseStart(app.Services.GetRequiredService<Migrator>(), app.Services.GetRequiredService<UserStore>(), config, app.Services.GetRequiredService<TimeProvider>(),
                app.Services.GetRequiredService<ILogger<DatabaseStart>>()).RunAsync(stop.Token);
            await app.Services.GetRequiredService<RedisCache>().ConnectAsync(app.Services.GetRequiredService<ILogger<RedisCache>>(), stop.Token);
            if (app.Services.GetService<LimiterProbe>() is { } limiter)
                await limiter.WarmUpAsync(stop.Token);
            return true;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return false;
        }

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
    }

    private static void Announce(WebApplication app, AgentConfig config)
    {
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        app.Services.GetRequiredService<ILogger<AgentLifetime>>().LogInformation(
            "instance {Instance} serves on {Address}: database {Database}, cache {Cache}, limiter {Limiter}", config.Instance, address, config.Database, config.Cache,
            config.Limiter.Kind.ToString().ToLowerInvariant());
    }
}
