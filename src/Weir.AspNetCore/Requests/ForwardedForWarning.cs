using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Weir.AspNetCore;

/// <summary>Tells once that clients come through a proxy and are counted as one, because nobody has read what the proxy says of them.</summary>
internal sealed class ForwardedForWarning(ILogger log)
{
    private int _isSaid;

    public void Look(HttpContext context)
    {
        if (Volatile.Read(ref _isSaid) != 0 || context.Request.Headers["X-Forwarded-For"].Count == 0)
            return;
        // The forwarded-headers middleware leaves a trace of what it has taken over.
        if (context.Request.Headers.ContainsKey("X-Original-For") || Interlocked.Exchange(ref _isSaid, 1) != 0)
            return;
        log.LogWarning(
            "a request carries X-Forwarded-For and no forwarded-headers middleware has taken it over, so clients behind the proxy at {Address} share one limit by address. " +
            "Call app.UseForwardedHeaders() before app.UseWeir(), with the proxy in ForwardedHeadersOptions.KnownProxies; or ignore this if there is no proxy.",
            context.Connection.RemoteIpAddress);
    }
}
