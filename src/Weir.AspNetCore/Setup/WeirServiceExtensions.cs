using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Weir.AspNetCore;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Sets up Weir.</summary>
public static class WeirServiceExtensions
{
    /// <summary>
    /// Adds limits and what decides them. Who decides is said on the result: <c>UseNodes</c>, <c>UseRedis</c> or <c>UseMemory</c>. Options are checked when
    /// the application starts.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">The limits.</param>
    public static WeirBuilder AddWeir(this IServiceCollection services, Action<WeirOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = services.AddOptions<WeirOptions>();
        if (configure is not null)
            options.Configure(configure);
        if (services.FirstOrDefault(static s => s.ServiceType == typeof(BackendChoice))?.ImplementationInstance is BackendChoice known)
            return new WeirBuilder(services, known);
        var choice = new BackendChoice();
        services.AddSingleton(choice);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<LimitPlans>();
        services.TryAddSingleton(p => choice.Create(p, p.GetRequiredService<TimeProvider>(), p.GetService<ILoggerFactory>()));
        services.TryAddSingleton<IWeirClient>(static p => p.GetRequiredService<WeirClient>());
        services.AddHostedService<WeirStartup>();
        return new WeirBuilder(services, choice);
    }
}
