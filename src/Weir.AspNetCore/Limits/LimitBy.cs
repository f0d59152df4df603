namespace Weir.AspNetCore;

/// <summary>Who shares a limit.</summary>
public enum LimitBy
{
    /// <summary>
    /// Each client address: <c>Connection.RemoteIpAddress</c>, which ASP.NET's forwarded-headers middleware sets behind a proxy. IPv6 addresses are grouped
    /// by <see cref="WeirOptions.IPv6PrefixLength"/>. The default.
    /// </summary>
    Address,

    /// <summary>Each signed-in user, by the name identifier claim, else the name. Requests without one count by their address, apart from users.</summary>
    User,

    /// <summary>
    /// Each value of the header <see cref="WeirOptions.ApiKeyHeader"/>, of which only a hash is kept. Requests without one count by their address. Nobody
    /// checks that the key exists: use it behind authentication, or together with a limit by address.
    /// </summary>
    ApiKey,

    /// <summary>All requests together.</summary>
    Everyone,
}
