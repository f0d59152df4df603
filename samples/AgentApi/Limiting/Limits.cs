using AgentApi.Configuration;
using AgentApi.Http;
using Weir;
using Weir.AspNetCore;

namespace AgentApi.Limiting;

/// <summary>
/// What a client may do: so many requests per address, so many per user, and so many tokens per user. A request is charged to all that apply to it
/// or to none. What a message costs is known only afterwards, so the most that it may cost is reserved before, and corrected after.
/// </summary>
internal static class Limits
{
    /// <summary>The name of the limit of tokens, for endpoints.</summary>
    public const string Tokens = "tokens";

    private const string Domain = "agent";

    /// <summary>Adds the limits and who decides by them.</summary>
    public static void AddLimits(this IServiceCollection services, LimiterConfig config)
    {
        if (config.Kind == LimiterKind.Off)
            return;
        var weir = services.AddWeir(options => Describe(options, config));
        if (config.Kind == LimiterKind.Memory)
            weir.UseMemory();
        else
            weir.UseNodes(nodes => Describe(nodes, config));
        services.AddSingleton<LimiterProbe>();
        services.AddOptions<WeirOptions>().Configure<Answers>(static (options, answers) => options.OnRefused = answers.RefusalAsync);
    }

    /// <summary>Limits requests from here on in the pipeline.</summary>
    public static void UseLimits(this WebApplication app, LimiterConfig config)
    {
        if (config.Kind != LimiterKind.Off)
            app.UseWeir();
    }

    private static void Describe(WeirOptions options, LimiterConfig config)
    {
        options.Domain = Domain;
        options.Failure = config.Failure;
        options.AddLimit("address", config.AddressPerMinute, TimeSpan.FromMinutes(1), LimitBy.Address, static limit => limit.Global = true);
        options.AddLimit("user", limit =>
        {
            (limit.Permits, limit.Window, limit.Global) = (config.UserPerMinute, TimeSpan.FromMinutes(1), true);
            limit.Key = Caller.Of;
        });
        options.AddLimit(Tokens, limit =>
        {
            (limit.Permits, limit.Window, limit.Algorithm) = (config.TokensPerMinute, TimeSpan.FromMinutes(1), AlgorithmKind.TokenBucket);
            limit.Key = Caller.Of;
            (limit.CostOf, limit.Reserve) = (TokenCost.Most, true);
        });
    }

    private static void Describe(WeirNodesOptions nodes, LimiterConfig config)
    {
        foreach (var node in config.Nodes)
            nodes.Addresses.Add(node.GetLeftPart(UriPartial.Authority));
        nodes.Timeout = config.Timeout;
    }
}
