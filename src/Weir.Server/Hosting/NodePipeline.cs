using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Weir.Server.Deciding;
using Weir.Server.Http;
using Weir.Server.Management;
using Weir.Server.Metrics;

namespace Weir.Server.Hosting;

/// <summary>What happens to every request but checks, around its endpoint.</summary>
internal static class NodePipeline
{
    public static void Use(WebApplication app, NodeMetrics metrics)
    {
        app.UseStatusCodePages(context => ExplainAsync(context.HttpContext, metrics));
        app.Use(AnswerHead);
        app.UseRouting();
    }

    // Health checks of balancers and containers ask with HEAD. The server leaves the body out by itself.
    private static Task AnswerHead(HttpContext context, RequestDelegate next)
    {
        if (HttpMethods.IsHead(context.Request.Method))
            context.Request.Method = HttpMethods.Get;
        return next(context);
    }

    // The router answers with a bare status.
    private static Task ExplainAsync(HttpContext context, NodeMetrics metrics)
    {
        switch (context.Response.StatusCode)
        {
            case 404:
                metrics.RecordRejected(RejectReasons.NotFound);
                return ManagementResults.Problem(new InputException("path", "there is nothing here. See GET /openapi.json for what there is.", 404)).ExecuteAsync(context);
            case 405:
                metrics.RecordRejected(RejectReasons.MethodNotAllowed);
                var methods = context.Response.Headers.Allow.ToString().Replace("GET", "GET, HEAD");
                context.Response.Headers.Allow = methods;
                return ManagementResults.Problem(Problem.NotAllowed(context.Request.Method, methods)).ExecuteAsync(context);
            default:
                return Task.CompletedTask;
        }
    }
}
