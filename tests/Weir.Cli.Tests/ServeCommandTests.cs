namespace Weir.Cli.Tests;

public sealed class ServeCommandTests
{
    [Fact]
    public async Task PrintConfig_ShowsFlagsOverDefaults()
    {
        var (exitCode, output, errors) = await Cli.RunAsync("serve", "--print-config", "--node-port=9001", "--admin-token", "s3cret");

        Assert.Equal((0, ""), (exitCode, errors));
        Assert.Matches("(?m)^RATELIMITER_NODE_PORT=9001 +# flag --node-port$", output);
        Assert.Matches("(?m)^RATELIMITER_ADMIN_TOKEN=\\*\\*\\* +# flag --admin-token$", output);
        Assert.Matches("(?m)^RATELIMITER_DEFAULT_LIMIT=100 +# default$", output);
        Assert.DoesNotContain("s3cret", output);
    }

    [Theory]
    [InlineData("--print-config")]
    [InlineData("--node-id=a")]
    public async Task Serve_WithBadSettings_TellsThemAllAndDoesNotStart(string flag)
    {
        var (exitCode, _, errors) = await Cli.RunAsync("serve", flag, "--node-port", "x", "--log-level", "loud");

        Assert.Equal(1, exitCode);
        Assert.Equal(
            "weir: --node-port: 'x' must be a whole number from 0 to 65,535.\n" +
            "weir: --log-level: 'loud' must be trace, debug, info, warn or error.\n",
            errors);
    }
}
