using AgentApi.Health;
using AgentApi.Http;

namespace AgentApi.Endpoints;

/// <summary>For balancers and containers.</summary>
internal sealed class HealthEndpoints(HealthProbe probe, Answers answers)
{
    private const string Ok = "ok";

    public void Map(WebApplication app)
    {
        app.MapGet("/health", HealthAsync);
        app.MapGet("/health/live", LiveAsync);
    }

    private async Task HealthAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        var report = await probe.LookAsync(context.RequestAborted);
        var status = probe.IsStopping ? "stopping" : probe.IsForced ? "forced to fail" : report.IsWell ? Ok : "failing";
        var checks = new Dictionary<string, string> { ["database"] = Word(report.Database), ["cache"] = Word(report.Cache) };
        await answers.SendAsync(context, new HealthAnswer(status, checks), status == Ok ? 200 : 503);
    }

    // Whoever asks only whether the process lives must not restart it for the database's sake.
    private Task LiveAsync(HttpContext context) => answers.SendAsync(context, new HealthAnswer(Ok, []));

    private static string Word(string? problem) => problem is null ? Ok : $"down: {problem}";

    private sealed record HealthAnswer(string Status, Dictionary<string, string> Checks) : Answer;
}
