using AgentApi.Configuration;
using AgentApi.Health;
using AgentApi.Http;

namespace AgentApi.Endpoints;

/// <summary>For balancers and containers.</summary>
internal sealed class HealthEndpoints(HealthProbe probe, AgentConfig config, Answers answers)
{
    private const string Ok = "ok";

    public void Map(WebApplication app)
    {
        app.MapGet("/health", HealthAsync).WithoutLimits();
        app.MapGet("/health/live", LiveAsync).WithoutLimits();
    }

    private async Task HealthAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        var report = await probe.LookAsync(context.RequestAborted);
        var status = probe.IsStopping ? "stopping" : probe.IsForced ? "forced to fail" : report.IsWell ? Ok : "failing";
        var checks = new Dictionary<string, string> { ["database"] = Word(report.Database), ["cache"] = Word(report.Cache) };
        // Without the limiter the instance goes on as its failure policy says; taking it out of the balancer would not bring the limiter back.
        if (config.Limiter.Kind != LimiterKind.Off)
            checks["limiter"] = report.Limiter is null ? Ok : $"degraded: {report.Limiter}";
        await answers.SendAsync(context, new HealthAnswer(status, checks), status == Ok ? 200 : 503);
    }

    // Whoever asks only whether the process lives must not restart it for the database's sake.
    private Task LiveAsync(HttpContext context) => answers.SendAsync(context, new HealthAnswer(Ok, []));

    private static string Word(string? problem) => problem is null ? Ok : $"down: {problem}";

    private sealed record HealthAnswer(string Status, Dictionary<string, string> Checks) : Answer;
}
