using AgentApi.Configuration;

namespace AgentApi.Hosting;

/// <summary>
/// The order of stopping: the health goes 503 at once, the instance serves on for the drain time so that a balancer notices, then the server
/// stops taking connections and finishes what it accepted.
/// </summary>
internal sealed class AgentLifetime(AgentState state, AgentConfig config, TimeProvider time, ILogger<AgentLifetime> log) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        state.MarkStopping();
        log.LogInformation("stopping: health is 503; serving on for {DrainSeconds} s, then finishing what was accepted", (int)config.Drain.TotalSeconds);
        if (config.Drain > TimeSpan.Zero)
            await Task.Delay(config.Drain, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        log.LogInformation("stopped");
        return Task.CompletedTask;
    }
}
