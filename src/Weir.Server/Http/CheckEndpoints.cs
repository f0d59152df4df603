using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Weir.Redis;
using Weir.Server.Deciding;
using Weir.Server.Metrics;

namespace Weir.Server.Http;

/// <summary>
/// The calls that decide. They run on the server's own features below the framework's pipeline, which has nothing to add here but cost.
/// </summary>
/// <param name="limiter">Decides.</param>
/// <param name="whyDegraded">Why the engine may not have been able to decide, as the beginning of a sentence.</param>
/// <param name="resolver">Finds what a request charges.</param>
/// <param name="reservations">The open reservations.</param>
/// <param name="metrics">Counts.</param>
/// <param name="state">Whether the node is stopping.</param>
internal sealed partial class CheckEndpoints(
    ILimiter limiter, string whyDegraded, ChargeResolver resolver, IReservationBook reservations, NodeMetrics metrics, NodeState state)
{
    private readonly record struct Call(string Path, string Method, Func<CheckEndpoints, Exchange, Task> Handle);

    private static readonly Call[] Calls =
    [
        new("/check", "POST", static (e, x) => e.CheckAsync(x)),
        new("/reserve", "POST", static (e, x) => e.ReserveAsync(x)),
        new("/commit", "POST", static (e, x) => e.CommitAsync(x)),
        new("/renew", "POST", static (e, x) => e.RenewAsync(x)),
        new("/refund", "POST", static (e, x) => e.RefundAsync(x)),
    ];

    /// <summary>Method and path of every call but <c>/rate-limit/{key}</c>.</summary>
    public static IEnumerable<(string Method, string Path)> Known => Calls.Select(static c => (c.Method, c.Path));

    /// <summary>Whether a request is for one of these calls.</summary>
    public static bool Owns(IHttpRequestFeature request) => RawTarget.IsKey(request.RawTarget) || CallAt(request.Path) >= 0;

    /// <summary>Answers one request.</summary>
    public Task HandleAsync(IFeatureCollection features)
    {
        var exchange = new Exchange(features);
        if (state.IsStopping)
            exchange.Response.Headers.Connection = "close";
        if (RawTarget.IsKey(exchange.Request.RawTarget))
        {
            return exchange.Request.Method is "GET" or "HEAD"
                ? CheckKeyAsync(exchange)
                : NotAllowedAsync(exchange, "GET, HEAD");
        }
        var call = Calls[CallAt(exchange.Request.Path)];
        return exchange.Request.Method == call.Method ? GuardedAsync(exchange, call) : NotAllowedAsync(exchange, call.Method);
    }

    private static int CallAt(string path)
    {
        for (var i = 0; i < Calls.Length; i++)
        {
            if (Calls[i].Path == path)
                return i;
        }
        return -1;
    }

    private async Task GuardedAsync(Exchange exchange, Call call)
    {
        try
        {
            await call.Handle(this, exchange);
        }
        catch (InputException e)
        {
            await RejectAsync(exchange, e);
        }
        catch (BadHttpRequestException e)
        {
            await RejectAsync(exchange, new InputException("body", e.Message, e.StatusCode));
        }
        catch (Exception e) when (e is EngineUnavailableException or SharedStateException)
        {
            await RejectAsync(exchange, Problem.Unavailable(e));
        }
        catch (Exception e) when (e is ConnectionResetException or OperationCanceledException { InnerException: ConnectionAbortedException })
        {
            // The caller broke off while it sent, or took longer than a stopping node waits: nobody is there to be answered, and nothing was charged.
            exchange.Abort();
        }
    }

    private Task RejectAsync(Exchange exchange, InputException problem)
    {
        metrics.RecordRejected(Problem.ReasonOf(problem.Status));
        return Problem.WriteAsync(exchange, problem);
    }

    private Task NotAllowedAsync(Exchange exchange, string methods)
    {
        metrics.RecordRejected(RejectReasons.MethodNotAllowed);
        exchange.Response.Headers.Allow = methods;
        return Problem.WriteAsync(exchange, Problem.NotAllowed(exchange.Request.Method, methods));
    }

    private void Record(in Decision decision, long started)
    {
        metrics.RecordCheck(decision.Rule, decision.IsAllowed, started);
        if (decision.Source == DecisionSource.Degraded)
            metrics.RecordDegraded();
    }

    private void RecordShadows(ReadOnlySpan<Charge> charges, ReadOnlySpan<Decision> decisions)
    {
        for (var i = 0; i < charges.Length; i++)
        {
            if (charges[i].Rule.Shadow)
                metrics.RecordShadow(charges[i].Rule, decisions[i].IsAllowed);
        }
    }
}
