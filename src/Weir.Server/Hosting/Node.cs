using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Weir.Server.Configuration;
using Weir.Server.Deciding;
using Weir.Server.Http;
using Weir.Server.Logging;
using Weir.Server.Management;
using Weir.Server.Metrics;
using Weir.Server.Rules;

namespace Weir.Server.Hosting;

/// <summary>A node: everything composed, started and stopped here.</summary>
public sealed class Node : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly NodeEngine _engine;
    private readonly RulesStore _rules;
    private readonly NodeState _state;

    private Node(WebApplication app, NodeEngine engine, RulesStore rules, NodeState state) =>
        (_app, _engine, _rules, _state) = (app, engine, rules, state);

    /// <summary>Where the node listens, once it was started.</summary>
    public Uri Address { get; private set; } = new("http://localhost");

    internal IServiceProvider Services => _app.Services;

    /// <summary>Runs a node until it is told to stop by <paramref name="cancellation"/>, SIGTERM or Ctrl-C.</summary>
    /// <returns>The exit code: 0 after a clean stop, 1 when the node could not start. The reason was written to standard error.</returns>
    public static async Task<int> RunAsync(NodeConfig config, CancellationToken cancellation)
    {
        try
        {
            await using var node = await StartAsync(config, null, cancellation);
            await node._app.WaitForShutdownAsync(cancellation);
            return 0;
        }
        catch (NodeStartException e)
        {
            await Console.Error.WriteLineAsync($"weir: {e.Message}");
            return 1;
        }
    }

    /// <summary>Starts a node.</summary>
    /// <param name="config">How it runs.</param>
    /// <param name="time">Clock and timers of decisions; null for the system's.</param>
    /// <param name="cancellation">Gives up starting.</param>
    /// <exception cref="NodeStartException">The rules cannot be read, the address cannot be listened on, or Redis is not what it should be.</exception>
    public static async Task<Node> StartAsync(NodeConfig config, TimeProvider? time, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(config);
        time ??= TimeProvider.System;
        var node = Compose(config, time);
        try
        {
            await node._engine.StartAsync(node._app.Services.GetRequiredService<ILogger<Node>>(), cancellation);
            await node._app.StartAsync(cancellation);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            await node.DisposeAsync();
            throw new NodeStartException($"port {config.Port} on {config.Address} is in use. Stop what listens there, or choose another port with --node-port or RATELIMITER_NODE_PORT.", e);
        }
        catch (System.Net.Sockets.SocketException e)
        {
            await node.DisposeAsync();
            throw new NodeStartException($"cannot listen on {config.Address}, port {config.Port}: {e.Message}. Choose another address with --listen-address or RATELIMITER_LISTEN_ADDRESS.", e);
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
        node.Announce(config);
        return node;
    }

    /// <summary>Stops the node: readiness off, drain, finish what was accepted.</summary>
    public Task StopAsync(CancellationToken cancellation) => _app.StopAsync(cancellation);

    /// <summary>Stops the node if it runs and frees what it holds.</summary>
    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _rules.Dispose();
        await _engine.DisposeAsync();
    }

    private static Node Compose(NodeConfig config, TimeProvider time)
    {
        // First, because rules are what can be wrong: a node that does not start leaves nothing running.
        var rules = OpenRules(config, time);
        var resolver = new ChargeResolver(rules, config.DefaultRule, new CounterHasher());
        NodeEngine engine = config.Redis is { } server ? new SharedNodeEngine(config, server, resolver, time) : new MemoryNodeEngine(config, resolver, time);
        var state = new NodeState(engine.Clock, () => engine.Hindrance);
        var metrics = new NodeMetrics(time, () => engine.Limiter.ActiveCounters, engine.Metrics);
        var builder = Builder(config, time);
        var endpoints = new CheckEndpoints(engine.Limiter, engine.WhyDegraded, resolver, engine.Reservations, metrics, state);
        builder.Services.AddHostedService(services => new NodeLifetime(state, engine, resolver, config, time, services.GetRequiredService<ILogger<Node>>()));
        UseShortcut(builder.Services, endpoints);
        var app = builder.Build();
        Watch(rules, metrics, app.Services.GetRequiredService<ILogger<RulesStore>>());
        NodePipeline.Use(app, metrics);
        new ManagementEndpoints(config, engine, resolver, rules, metrics, state).Map(app);
        new NodeEndpoints(config, metrics, state).Map(app);
        return new Node(app, engine, rules, state);
    }

    private static WebApplicationBuilder Builder(NodeConfig config, TimeProvider time)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = "weir", ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        builder.Logging.ClearProviders();
        builder.Logging.AddNodeConsole(config, time);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = config.ShutdownGrace + config.Drain);
        builder.WebHost.UseSockets(static sockets =>
        {
            // A buffer waits at each connection, 4 KB, instead of an empty read that tells when there is something to receive: a system call less per request.
            sockets.WaitForDataBeforeAllocatingBuffer = false;
            // Deciding goes on where the request was received, without a way over the pool; FastPathServer moves everything else there.
            sockets.UnsafePreferInlineScheduling = true;
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = Exchange.MaxDrainedBytes;
            kestrel.Limits.MaxRequestLineSize = 8 * 1024;
            kestrel.Listen(new IPEndPoint(config.Address, config.Port));
        });
        return builder;
    }

    private static RulesStore OpenRules(NodeConfig config, TimeProvider time)
    {
        try
        {
            return RulesStore.Open(config.RulesPath, time, config.FailurePolicy);
        }
        catch (RulesException e)
        {
            throw new NodeStartException(e.Message, e);
        }
    }

    private static void Watch(RulesStore rules, NodeMetrics metrics, ILogger log)
    {
        rules.Log = log;
        metrics.RecordReload(ok: true, rules.Current.Version);
        rules.Changed = snapshot => metrics.RecordReload(ok: true, snapshot.Version);
        rules.Failed = _ => metrics.RecordReload(ok: false, rules.Current.Version);
        foreach (var warning in rules.Current.Warnings)
            log.LogWarning("rules: {Warning}", warning);
    }

    // The server that the framework registered goes behind the shortcut.
    private static void UseShortcut(IServiceCollection services, CheckEndpoints endpoints)
    {
        var kestrel = services.Last(static s => s.ServiceType == typeof(IServer));
        services.Remove(kestrel);
        services.AddSingleton(kestrel.ImplementationType!);
        services.AddSingleton<IServer>(p => new FastPathServer((IServer)p.GetRequiredService(kestrel.ImplementationType!), endpoints));
    }

    private void Announce(NodeConfig config)
    {
        var addresses = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>();
        Address = new Uri(addresses!.Addresses.First());
        _state.MarkReady();
        _engine.Join(_state, Address.Port);
        var log = _app.Services.GetRequiredService<ILogger<Node>>();
        foreach (var warning in config.Warnings)
            log.LogWarning("{Warning}", warning);
        if (config.AdminToken is null)
            log.LogWarning("management is open to everyone who reaches this port; set RATELIMITER_ADMIN_TOKEN to close it");
        log.LogInformation("node {Node} {Version} decides on {Address}: engine {Engine}, default {Default}",
            config.NodeId, BuildInfo.Version, Address, config.Redis is { } server ? $"{_engine.Name} ({server})" : _engine.Name, config.DefaultRule.ToString());
    }
}

/// <summary>A node could not start. The message says why and what to do, in a line or a line per problem.</summary>
public sealed class NodeStartException(string message, Exception? inner = null) : Exception(message, inner);
