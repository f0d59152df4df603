using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Weir.Server.Configuration;
using Weir.Server.Deciding;
using Weir.Server.Http;

namespace Weir.Server.Hosting;

/// <summary>
/// The warm-up before the node listens, and the order of stopping: readiness goes off first, then the node serves on for the drain time so that a balancer notices, then the server stops taking
/// connections and finishes what it accepted.
/// </summary>
internal sealed class NodeLifetime(NodeState state, NodeEngine engine, ChargeResolver resolver, NodeConfig config, TimeProvider time, ILogger<Node> log) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => WarmUp.RunAsync(resolver);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        state.MarkStopping();
        engine.TellOthers();
        log.LogInformation("stopping: readiness is off; serving on for {DrainMs} ms, then finishing what was accepted", (long)config.Drain.TotalMilliseconds);
        if (config.Drain > TimeSpan.Zero)
            await Task.Delay(config.Drain, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await engine.LeaveAsync();
        log.LogInformation("stopped");
    }
}
