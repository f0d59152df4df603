using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Weir.AspNetCore;

/// <summary>Lets a request go on, or refuses it. Where the answer is at hand, nothing is awaited and nothing allocated but what headers take.</summary>
internal sealed class LimitMiddleware(
    RequestDelegate next, LimitPlans plans, WeirClient client, IOptions<WeirOptions> options, TimeProvider time, ILogger<LimitMiddleware> log)
{
    private static readonly TimeSpan ReservedFor = TimeSpan.FromMinutes(1);

    private readonly Backend _backend = client.Backend;
    private readonly WeirOptions _options = options.Value;
    private readonly ForwardedForWarning _warning = new(log);

    public Task InvokeAsync(HttpContext context)
    {
        var plan = plans.Of(context.GetEndpoint());
        if (plan.Limits.Length == 0 || Check(context, plan) is not { } check)
            return next(context);
        if (plan.IsSettled)
            return ReserveAsync(context, check);
        var checking = _backend.CheckAsync(check);
        return checking.IsCompletedSuccessfully ? GoOnAsync(context, checking.Result) : WaitAsync(context, checking);
    }

    // Null when no limit applies to this request.
    private PendingCheck? Check(HttpContext context, LimitPlan plan)
    {
        if (plan.UsesAddress)
            _warning.Look(context);
        var check = PendingCheck.Rent();
        try
        {
            foreach (var limit in plan.Limits)
                limit.Source.TryAdd(check, limit.Limit, context, limit.CostOf(context), isFinal: !limit.IsSettled);
        }
        catch
        {
            check.Release();
            throw;
        }
        if (check.Count > 0)
            return check;
        check.Release();
        return null;
    }

    private async Task WaitAsync(HttpContext context, ValueTask<LimitResult> checking) => await GoOnAsync(context, await checking);

    private Task GoOnAsync(HttpContext context, in LimitResult result)
    {
        LimitHeaders.Set(context.Response.Headers, result, _options.Headers);
        return result.IsAllowed ? next(context) : RefusalWriter.WriteAsync(context, result, _options.OnRefused);
    }

    private async Task ReserveAsync(HttpContext context, PendingCheck check)
    {
        LimitReservation reservation;
        try
        {
            reservation = await _backend.ReserveAsync(check, ReservedFor);
        }
        finally
        {
            check.Release();
        }
        var feature = new RequestReservation(_backend, reservation, time);
        context.Features.Set<ILimitFeature>(feature);
        try
        {
            await GoOnAsync(context, reservation.Result);
        }
        finally
        {
            // Also after an exception: what was used is used.
            await feature.EndAsync();
        }
    }
}
