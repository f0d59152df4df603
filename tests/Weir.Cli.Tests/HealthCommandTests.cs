namespace Weir.Cli.Tests;

public sealed class HealthCommandTests
{
    [Fact]
    public async Task Health_OfANodeThatIsWell_ExitsWith0()
    {
        using var node = new FakeNode(200, """{"status":"ok","node":"a"}""");

        Assert.Equal((0, "healthy 200 {\"status\":\"ok\",\"node\":\"a\"}\n", ""), await Cli.RunAsync("health", "--url", node.Url));
        Assert.StartsWith("GET /health HTTP/1.1\r\n", node.Request);
    }

    [Fact]
    public async Task Health_Ready_OfANodeThatStops_ExitsWith1()
    {
        using var node = new FakeNode(503, """{"status":"not_ready","reason":"stopping"}""");

        var (exitCode, output, _) = await Cli.RunAsync("health", "--ready", "--url", node.Url);

        Assert.Equal((1, "unhealthy 503 {\"status\":\"not_ready\",\"reason\":\"stopping\"}\n"), (exitCode, output));
        Assert.StartsWith("GET /health/ready HTTP/1.1\r\n", node.Request);
    }

    [Fact]
    public async Task Health_WhenNobodyListens_ExitsWith1()
    {
        var (exitCode, output, errors) = await Cli.RunAsync("health", "--url", FakeNode.UnusedUrl());

        Assert.Equal((1, ""), (exitCode, output));
        Assert.Contains("does not answer: Connection refused.", errors);
    }

    [Fact]
    public async Task Health_WhenTheNodeIsSilent_GivesUpAfter3Seconds()
    {
        using var node = FakeNode.Silent();

        Assert.Equal(
            (1, "", $"weir health: {node.Url} does not answer: no answer within 3 s. Start a node with 'weir serve', or name another with --url.\n"),
            await Cli.RunAsync("health", "--url", node.Url));
    }
}
