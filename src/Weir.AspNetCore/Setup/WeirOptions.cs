using Microsoft.AspNetCore.Http;

namespace Weir.AspNetCore;

/// <summary>How an application limits its requests. Checked at start: all problems are told together.</summary>
public sealed class WeirOptions
{
    /// <summary>The domain of applications that name none: <c>app</c>.</summary>
    public const string DefaultDomain = "app";

    /// <summary>What keeps the counters of this application apart from another's on the same nodes or the same Redis.</summary>
    /// <value>1 to 128 characters. Default <c>app</c>. Instances of one application use the same.</value>
    public string Domain { get; set; } = DefaultDomain;

    /// <summary>The limits by name. Endpoints name those that apply to them; those that are <see cref="LimitOptions.Global"/> apply to every request.</summary>
    public IDictionary<string, LimitOptions> Limits { get; } = new Dictionary<string, LimitOptions>(StringComparer.Ordinal);

    /// <summary>What to answer when nobody can decide, for limits that do not say so themselves.</summary>
    /// <value>Default <see cref="FailurePolicy.Closed"/>: 503.</value>
    public FailurePolicy Failure { get; set; }

    /// <summary>Which headers answers carry.</summary>
    /// <value>Default <see cref="LimitHeaderKinds.All"/>.</value>
    public LimitHeaderKinds Headers { get; set; } = LimitHeaderKinds.All;

    /// <summary>Bits of an IPv6 address that name a client; one household or server usually has all addresses of a /64.</summary>
    /// <value>16 to 128. Default 64.</value>
    public int IPv6PrefixLength { get; set; } = 64;

    /// <summary>The header of <see cref="LimitBy.ApiKey"/>.</summary>
    /// <value>Default <c>X-Api-Key</c>.</value>
    public string ApiKeyHeader { get; set; } = "X-Api-Key";

    /// <summary>
    /// Writes the body of a refusal instead of the usual problem+json. Status (429 or 503) and headers are set already. Default none.
    /// </summary>
    public Func<HttpContext, LimitResult, Task>? OnRefused { get; set; }

    /// <summary>Adds a limit, or replaces the one of this name.</summary>
    /// <param name="name">Name of the limit: 1 to 128 printable ASCII characters.</param>
    /// <param name="permits">Permits per window.</param>
    /// <param name="window">Length of the window.</param>
    /// <param name="by">Who shares it.</param>
    /// <param name="configure">Says more about it.</param>
    /// <returns>These options.</returns>
    public WeirOptions AddLimit(string name, long permits, TimeSpan window, LimitBy by = LimitBy.Address, Action<LimitOptions>? configure = null) =>
        AddLimit(name, limit =>
        {
            (limit.Permits, limit.Window, limit.By) = (permits, window, by);
            configure?.Invoke(limit);
        });

    /// <summary>Adds a limit, or replaces the one of this name.</summary>
    /// <param name="name">Name of the limit: 1 to 128 printable ASCII characters.</param>
    /// <param name="configure">Says what it is.</param>
    /// <returns>These options.</returns>
    public WeirOptions AddLimit(string name, Action<LimitOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(configure);
        var limit = new LimitOptions();
        configure(limit);
        Limits[name] = limit;
        return this;
    }
}

/// <summary>Headers that tell callers of their limit.</summary>
[Flags]
public enum LimitHeaderKinds
{
    /// <summary>None but <c>Retry-After</c> on refusals.</summary>
    None = 0,

    /// <summary><c>X-RateLimit-Limit</c>, <c>X-RateLimit-Remaining</c> and <c>X-RateLimit-Reset</c>.</summary>
    XRateLimit = 1,

    /// <summary><c>RateLimit</c> and <c>RateLimit-Policy</c>, as the IETF draft says.</summary>
    Standard = 2,

    /// <summary>All of them.</summary>
    All = XRateLimit | Standard,
}
