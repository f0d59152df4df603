using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Weir.AspNetCore;

/// <summary>Says who decides. The last word counts; without one, this process' memory does.</summary>
public sealed class WeirBuilder
{
    private readonly BackendChoice _choice;

    internal WeirBuilder(IServiceCollection services, BackendChoice choice) => (Services, _choice) = (services, choice);

    /// <summary>The application's services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>This process decides alone, from its memory. Instances of the application count apart.</summary>
    /// <param name="configure">Says more.</param>
    public WeirBuilder UseMemory(Action<WeirMemoryOptions>? configure = null)
    {
        Configure(configure);
        _choice.Problems = static services => OptionsValidator.Problems(Of<WeirMemoryOptions>(services));
        _choice.Create = static (services, time, _) => WeirClient.InMemory(Of<WeirMemoryOptions>(services), time);
        _choice.HasNodes = false;
        return this;
    }

    /// <summary>All instances decide as one, from counters in Redis or Valkey.</summary>
    /// <param name="url">The server, such as <c>redis://localhost:6379</c>.</param>
    /// <param name="configure">Says more.</param>
    public WeirBuilder UseRedis(string url, Action<WeirRedisOptions>? configure = null) => UseRedis(redis =>
    {
        redis.Url = url;
        configure?.Invoke(redis);
    });

    /// <summary>All instances decide as one, from counters in Redis or Valkey.</summary>
    /// <param name="configure">Says where.</param>
    public WeirBuilder UseRedis(Action<WeirRedisOptions> configure)
    {
        Configure(configure);
        _choice.Problems = static services => OptionsValidator.Problems(Of<WeirRedisOptions>(services));
        _choice.Create = static (services, time, log) => WeirClient.OverRedis(Of<WeirRedisOptions>(services), time, log);
        _choice.HasNodes = false;
        return this;
    }

    /// <summary>Weir nodes decide.</summary>
    /// <param name="addresses">The nodes, or a balancer before them, such as <c>http://weir-1:8000</c>.</param>
    public WeirBuilder UseNodes(params string[] addresses)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        return UseNodes(nodes =>
        {
            foreach (var address in addresses)
                nodes.Addresses.Add(address);
        });
    }

    /// <summary>Weir nodes decide.</summary>
    /// <param name="configure">Says which, and how to ask them.</param>
    public WeirBuilder UseNodes(Action<WeirNodesOptions> configure)
    {
        Configure(configure);
        _choice.Problems = static services => OptionsValidator.Problems(Of<WeirNodesOptions>(services));
        _choice.Create = static (services, time, log) => WeirClient.OverNodes(Of<WeirNodesOptions>(services), time, log);
        _choice.HasNodes = true;
        return this;
    }

    private void Configure<T>(Action<T>? configure)
        where T : class
    {
        var options = Services.AddOptions<T>();
        if (configure is not null)
            options.Configure(configure);
    }

    private static T Of<T>(IServiceProvider services)
        where T : class => services.GetRequiredService<IOptions<T>>().Value;
}

/// <summary>Who decides, as the application was set up.</summary>
internal sealed class BackendChoice
{
    public Func<IServiceProvider, List<string>> Problems { get; set; } = static _ => [];

    public Func<IServiceProvider, TimeProvider, ILoggerFactory?, WeirClient> Create { get; set; } = static (_, time, _) => WeirClient.InMemory(null, time);

    public bool HasNodes { get; set; }
}
