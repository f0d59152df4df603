using System.CommandLine;

namespace Weir.Cli;

/// <summary><c>weir health</c>: asks a node whether it is well, for the health checks of containers.</summary>
internal static class HealthCommand
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    public static Command Create()
    {
        var url = NodeUrl.Option();
        var ready = new Option<bool>("--ready") { Description = "Ask whether the node can decide, rather than whether it is alive." };
        var command = new Command("health", "Exit with 0 when the node is well and 1 when it is not or does not answer within 3 s.") { url, ready };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            parsed.GetValue(url), parsed.GetValue(ready), parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, cancellationToken));
        return ExampleHelp.With(command,
            ("weir health", "is the node of this container alive?"),
            ("weir health --ready --url http://node-2:8000", "may node-2 get traffic?"));
    }

    private static async Task<int> RunAsync(string? flag, bool ready, TextWriter output, TextWriter errors, CancellationToken cancellationToken)
    {
        if (NodeUrl.Resolve(flag, Environment.GetEnvironmentVariable) is not { } url)
        {
            errors.WriteLine($"weir health: {NodeUrl.Problem(flag)}");
            return ExitCode.Error;
        }
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(url, ready ? "/health/ready" : "/health"));
            var (status, body) = await NodeClient.SendAsync(request, Timeout, cancellationToken);
            output.WriteLine($"{(status == 200 ? "healthy" : "unhealthy")} {status} {body.ReplaceLineEndings(" ").Trim()}");
            return status == 200 ? ExitCode.Ok : ExitCode.No;
        }
        catch (NodeUnreachableException e)
        {
            errors.WriteLine($"weir health: {e.Message}");
            return ExitCode.No;
        }
    }
}
