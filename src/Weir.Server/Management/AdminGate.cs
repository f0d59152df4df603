using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Weir.Server.Deciding;
using Weir.Server.Metrics;

namespace Weir.Server.Management;

/// <summary>
/// Lets callers with the administrator's token in. Tokens are compared by their hashes in constant time, so that neither contents nor length leak
/// through the time it takes.
/// </summary>
internal sealed class AdminGate(string? token, NodeMetrics metrics) : IEndpointFilter
{
    private const string Scheme = "Bearer ";

    private readonly byte[]? _expected = token is null ? null : SHA256.HashData(Encoding.UTF8.GetBytes(token));

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        if (_expected is null || Matches(context.HttpContext.Request.Headers.Authorization.ToString()))
            return await next(context);
        metrics.RecordRejected(RejectReasons.Unauthorized);
        context.HttpContext.Response.Headers.WWWAuthenticate = "Bearer realm=\"weir\"";
        return ManagementResults.Problem(new InputException("Authorization",
            "the administrator's token is missing or wrong. Send 'Authorization: Bearer TOKEN' with the node's RATELIMITER_ADMIN_TOKEN.", 401));
    }

    private bool Matches(string authorization) =>
        authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(authorization[Scheme.Length..].Trim())), _expected);
}
