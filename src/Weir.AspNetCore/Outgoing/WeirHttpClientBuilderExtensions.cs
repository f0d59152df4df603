using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Weir.AspNetCore;
using Weir.AspNetCore.Outgoing;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds a <see cref="WeirHandler"/> to clients of <c>IHttpClientFactory</c>.</summary>
public static class WeirHttpClientBuilderExtensions
{
    /// <summary>Keeps this client within the limits of the servers that it talks to.</summary>
    /// <param name="builder">The client. What is known of servers is shared by all its handlers, and outlives them.</param>
    /// <param name="configure">How; called once.</param>
    /// <returns>The same builder.</returns>
    /// <remarks>
    /// Add it before a resilience or retry handler of your own (it is then the outer one), so that a retry does not have to wait in its line anew; or after, so that retries
    /// keep to the limit as well. The first is the usual choice.
    /// </remarks>
    /// <exception cref="OptionsValidationException">At start: an option is out of its range. The message names every problem.</exception>
    public static IHttpClientBuilder AddWeirHandler(this IHttpClientBuilder builder, Action<WeirHandlerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var name = builder.Name;
        builder.Services.AddOptions<WeirHandlerOptions>(name).Configure(options => configure?.Invoke(options)).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<WeirHandlerOptions>>(services => new Validation(name, services.GetService<IServiceProviderIsService>()));
        builder.Services.TryAddKeyedSingleton(name, static (services, key) => new OutgoingLimits(
            services.GetRequiredService<IOptionsMonitor<WeirHandlerOptions>>().Get((string)key!),
            services.GetService<IWeirClient>(),
            services.GetService<TimeProvider>() ?? TimeProvider.System));
        return builder.AddHttpMessageHandler(services => new WeirHandler(services.GetRequiredKeyedService<OutgoingLimits>(name)));
    }

    private sealed class Validation(string name, IServiceProviderIsService? services) : IValidateOptions<WeirHandlerOptions>
    {
        public ValidateOptionsResult Validate(string? optionsName, WeirHandlerOptions options)
        {
            if (!string.Equals(optionsName, name, StringComparison.Ordinal))
                return ValidateOptionsResult.Skip;
            var problems = options.Problems();
            if (options.Limit is not null && services?.IsService(typeof(IWeirClient)) == false)
                problems.Add("WeirHandlerOptions.Limit: nobody can be asked for permits. Register Weir with AddWeir.");
            return problems.Count > 0 ? ValidateOptionsResult.Fail(problems) : ValidateOptionsResult.Success;
        }
    }
}
