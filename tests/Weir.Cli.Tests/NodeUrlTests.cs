namespace Weir.Cli.Tests;

public sealed class NodeUrlTests
{
    [Theory]
    [InlineData(null, null, null, null, "http://localhost:8000/")]
    [InlineData(null, null, null, "9000", "http://localhost:9000/")]
    [InlineData(null, null, null, "0", "http://localhost:8000/")]
    [InlineData(null, null, null, "x", "http://localhost:8000/")]
    [InlineData(null, null, "0.0.0.0", "9000", "http://localhost:9000/")]
    [InlineData(null, null, "*", null, "http://localhost:8000/")]
    [InlineData(null, null, "::", null, "http://localhost:8000/")]
    [InlineData(null, null, "10.0.0.7", "9000", "http://10.0.0.7:9000/")]
    [InlineData(null, null, "fd00::7", null, "http://[fd00::7]:8000/")]
    [InlineData(null, null, "node-1", null, "http://node-1:8000/")]
    [InlineData(null, "http://other:1", "10.0.0.7", "9000", "http://other:1/")]
    [InlineData("https://flag", "http://other:1", "10.0.0.7", "9000", "https://flag/")]
    [InlineData("", "", null, null, "http://localhost:8000/")]
    [InlineData("flag:80", null, null, null, null)]
    public void Resolve_TakesTheFlagThenWeirUrlThenTheNodesOwnSettings(string? flag, string? weirUrl, string? host, string? port, string? expected)
    {
        var url = NodeUrl.Resolve(flag, name => name switch
        {
            "WEIR_URL" => weirUrl,
            "RATELIMITER_LISTEN_ADDRESS" => host,
            "RATELIMITER_NODE_PORT" => port,
            _ => null,
        });

        Assert.Equal(expected, url?.ToString());
    }
}
