using Weir.Server.Tests.Http;

namespace Weir.Server.Tests.Hosting;

/// <summary>What a node logs when it starts and stops. Takes the console, so nothing runs beside it.</summary>
[Collection(nameof(OwnConsole))]
public sealed class StartLogTests
{
    [Fact]
    public async Task Start_WithoutAToken_WarnsThatManagementIsOpen()
    {
        var log = await LogAsync(("LOG_LEVEL", "info"));

        Assert.Contains("management is open to everyone who reaches this port; set RATELIMITER_ADMIN_TOKEN to close it", log);
        Assert.Contains("node test-node", log);
        Assert.Contains("stopping: readiness is off", log);
        Assert.EndsWith("stopped", log.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_WithAToken_DoesNotWarnAndNeverShowsIt()
    {
        var log = await LogAsync(("LOG_LEVEL", "trace"), ("ADMIN_TOKEN", "s3cret"));

        Assert.Contains("decides on http://127.0.0.1:", log);
        Assert.DoesNotContain("management is open", log);
        Assert.DoesNotContain("s3cret", log);
    }

    private static async Task<string> LogAsync(params (string, string)[] settings)
    {
        var console = Console.Out;
        var log = new StringWriter();
        Console.SetOut(TextWriter.Synchronized(log));
        try
        {
            await using var node = await RunningNode.StartAsync(settings);
            await node.SendAsync(HttpMethod.Get, "/api/nodes", null, ("Authorization", "Bearer s3cret"));
            await node.Node.StopAsync(default);
        }
        finally
        {
            Console.SetOut(console);
        }
        return log.ToString();
    }
}

/// <summary>Tests that replace the console of the process.</summary>
[CollectionDefinition(nameof(OwnConsole), DisableParallelization = true)]
public sealed class OwnConsole;
