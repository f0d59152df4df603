using System.IO.Pipelines;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Weir.Server.Configuration;
using Weir.Server.Dashboard;
using Weir.Server.Http;
using Weir.Server.Management;
using Weir.Server.Metrics;

namespace Weir.Server.Hosting;

/// <summary>Health, metrics, the API's description and the dashboard.</summary>
internal sealed class NodeEndpoints(NodeConfig config, NodeMetrics metrics, NodeState state)
{
    private static readonly EmbeddedFile Description = EmbeddedFile.Load("openapi.json");

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health", () => ManagementResults.Ok(new { Status = "ok", Node = config.NodeId }));
        routes.MapGet("/health/ready", Ready);
        routes.MapGet("/metrics", WriteMetricsAsync);
        routes.MapGet("/openapi.json", Description.Send);
        DashboardEndpoints.Map(routes);
    }

    private IResult Ready() => state.NotReady is { } reason
        ? Results.Json(new { Status = "not_ready", Reason = reason }, ManagementResults.Json, statusCode: 503)
        : ManagementResults.Ok(new { Status = "ready" });

    private Task WriteMetricsAsync(HttpContext context)
    {
        context.Response.ContentType = PrometheusWriter.ContentType;
        metrics.Write(context.Response.BodyWriter);
        return context.Response.BodyWriter.FlushAsync().AsTask();
    }
}
