using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Weir.Redis;
using Weir.Server.Configuration;
using Weir.Server.Deciding;
using Weir.Server.Hosting;
using Weir.Server.Http;
using Weir.Server.Metrics;
using Weir.Server.Rules;

namespace Weir.Server.Management;

/// <summary>The calls that show and change what a node does, under <c>/api</c>, behind <see cref="AdminGate"/>.</summary>
internal sealed partial class ManagementEndpoints(
    NodeConfig config, NodeEngine engine, ChargeResolver resolver, RulesStore rules, NodeMetrics metrics, NodeState state)
{
    private readonly ILimiter _limiter = engine.Limiter;

    public void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api").AddEndpointFilter(new AdminGate(config.AdminToken, metrics)).AddEndpointFilter(CatchInput);
        api.MapGet("/nodes", NodesAsync);
        api.MapGet("/counters", CountersAsync);
        api.MapDelete("/counters", ResetByIdAsync);
        api.MapDelete("/counters/{key}", (Delegate)ResetByKeyAsync);
        api.MapGet("/blocks", BlocksAsync);
        api.MapGet("/limits", Limits);
        api.MapPut("/limits/{key}", (Delegate)SetLimitAsync);
        api.MapDelete("/limits/{key}", (Delegate)LiftLimitAsync);
        api.MapGet("/rules", Rules);
        api.MapPut("/rules", (Delegate)ReplaceRulesAsync);
        api.MapPost("/rules/validate", (Delegate)ValidateRulesAsync);
        api.MapPost("/explain", (Delegate)ExplainAsync);
    }

    private async ValueTask<object?> CatchInput(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (InputException e)
        {
            metrics.RecordRejected(Http.Problem.ReasonOf(e.Status));
            return ManagementResults.Problem(e);
        }
        catch (Exception e) when (e is EngineUnavailableException or SharedStateException)
        {
            metrics.RecordRejected(RejectReasons.Unavailable);
            return ManagementResults.Problem(Http.Problem.Unavailable(e));
        }
        catch (BadHttpRequestException e)
        {
            metrics.RecordRejected(Http.Problem.ReasonOf(e.StatusCode));
            return ManagementResults.Problem(new InputException("body", e.Message, e.StatusCode));
        }
    }

    private async Task<IResult> NodesAsync(HttpRequest request) =>
        ManagementResults.Ok(await engine.ListNodesAsync(state, $"{request.Scheme}://{request.Host}"));

    private async Task<IResult> CountersAsync(HttpRequest request)
    {
        var (limit, cursor) = ManagementResults.Page(request);
        var page = await _limiter.ListAsync(cursor, limit, blockedOnly: false);
        return ManagementResults.Ok(new
        {
            Counters = page.Counters.Select(c => View(c, c.Look.Rule!)),
            NextCursor = page.Next == 0 ? null : page.Next.ToString(),
            Total = _limiter.ActiveCounters,
        });
    }

    private async Task<IResult> BlocksAsync(HttpRequest request)
    {
        var (limit, cursor) = ManagementResults.Page(request);
        var page = await _limiter.ListAsync(cursor, limit, blockedOnly: true);
        var now = state.Clock.NowMicros;
        return ManagementResults.Ok(new
        {
            Blocks = page.Counters.Select(c => Block(c, c.Look.Rule!, now)),
            NextCursor = page.Next == 0 ? null : page.Next.ToString(),
        });
    }

    private async Task<IResult> ResetByKeyAsync(HttpContext context)
    {
        var key = KeyOf(context);
        var reset = 0;
        foreach (var id in resolver.CountersOf(key))
            reset += await _limiter.ResetAsync(id) ? 1 : 0;
        return reset > 0
            ? ManagementResults.Ok(new { Reset = reset })
            : throw new InputException("key", $"'{key}' has no counter: nothing was counted for it, or all of it has come back already.", 404);
    }

    private async Task<IResult> ResetByIdAsync(HttpRequest request)
    {
        var text = request.Query["id"].ToString();
        if (!CounterId.TryParse(text, out var id))
            throw new InputException("id", $"'{text}' is not a counter's id. Give the 32 hexadecimal digits that GET /api/counters lists.");
        return await _limiter.ResetAsync(id)
            ? ManagementResults.Ok(new { Reset = 1 })
            : throw new InputException("id", $"'{text}' has no counter.", 404);
    }

    private static RuleCounterView View(CounterView counter, Rule rule) => new(counter.Id.ToString(), counter.Label, rule.Domain, rule.Name,
        rule.Algorithm.ToName(), counter.Used, rule.Burst, counter.Look.Remaining, rule.WindowMicros / 1000, Answer.Millis(counter.Look.ResetMicros));

    private static BlockView Block(CounterView counter, Rule rule, long now) => new(counter.Id.ToString(), counter.Label, rule.Domain, rule.Name, rule.Burst,
        Answer.Millis(counter.Next.RetryAfterMicros), NodeState.TimeOf(now + counter.Next.RetryAfterMicros));
}
