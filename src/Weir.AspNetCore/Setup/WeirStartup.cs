using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Weir.AspNetCore;

/// <summary>Checks at start how Weir is set up, and connects. What is wrong stops the application, all of it told at once.</summary>
internal sealed class WeirStartup(IServiceProvider services, BackendChoice choice) : IHostedLifecycleService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var options = services.GetRequiredService<IOptions<WeirOptions>>().Value;
        WeirOptionsException.ThrowIfAny([.. OptionsValidator.Problems(options, choice.HasNodes), .. choice.Problems(services)]);
        await services.GetRequiredService<WeirClient>().StartAsync(cancellationToken);
    }

    // Endpoints are known when the server has built its pipeline.
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        if (services.GetService<EndpointDataSource>() is { } endpoints)
            WeirOptionsException.ThrowIfAny([.. services.GetRequiredService<LimitPlans>().ProblemsOf(endpoints.Endpoints)]);
        return Task.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
