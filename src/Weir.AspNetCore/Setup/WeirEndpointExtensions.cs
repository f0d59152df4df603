using Weir.AspNetCore;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Limits for endpoints.</summary>
public static class WeirEndpointExtensions
{
    /// <summary>Applies a limit to endpoints. Call it again for further limits: a request is charged to all or none.</summary>
    /// <param name="builder">The endpoints.</param>
    /// <param name="name">Name of the limit in <see cref="WeirOptions.Limits"/>.</param>
    public static TBuilder RequireLimit<TBuilder>(this TBuilder builder, string name)
        where TBuilder : IEndpointConventionBuilder => Add(builder, new LimitAttribute(name));

    /// <summary>Applies a limit to endpoints, at a cost of their own.</summary>
    /// <param name="builder">The endpoints.</param>
    /// <param name="name">Name of the limit in <see cref="WeirOptions.Limits"/>.</param>
    /// <param name="cost">Permits that a request takes: 0 to 1,000,000.</param>
    public static TBuilder RequireLimit<TBuilder>(this TBuilder builder, string name, int cost)
        where TBuilder : IEndpointConventionBuilder => Add(builder, new LimitAttribute(name) { Cost = cost });

    /// <summary>Exempts endpoints from every limit, also from global ones.</summary>
    /// <param name="builder">The endpoints.</param>
    public static TBuilder WithoutLimits<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => Add(builder, new NoLimitAttribute());

    private static TBuilder Add<TBuilder>(TBuilder builder, object metadata)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint => endpoint.Metadata.Add(metadata));
        return builder;
    }
}
