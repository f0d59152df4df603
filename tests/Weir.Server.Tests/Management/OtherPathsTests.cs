using Weir.Server.Tests.Http;

namespace Weir.Server.Tests.Management;

/// <summary>Paths that are not there and methods that are not taken.</summary>
public sealed class OtherPathsTests
{
    [Theory]
    [InlineData("GET", "/nothing")]
    [InlineData("POST", "/nothing")]
    [InlineData("GET", "/nothing.json")]
    [InlineData("GET", "/favicon.ico")]
    [InlineData("GET", "/api")]
    [InlineData("GET", "/api/")]
    [InlineData("GET", "/api/unknown")]
    [InlineData("DELETE", "/api/limits/a/b")]
    [InlineData("GET", "/health/alive")]
    public async Task Path_ThatIsNotThere_Is404(string method, string path)
    {
        await using var node = await RunningNode.StartAsync(("ADMIN_TOKEN", "s3cret"));

        Assert.Contains("there is nothing here", (await node.SendAsync(new HttpMethod(method), path)).Problem(404, "path"));
        Assert.Contains("ratelimiter_http_requests_rejected_total{reason=\"not_found\"} 1\n", (await node.GetAsync("/metrics")).Text);
    }

    [Theory]
    [InlineData("POST", "/", "GET, HEAD")]
    [InlineData("POST", "/health", "GET, HEAD")]
    [InlineData("DELETE", "/health/ready", "GET, HEAD")]
    [InlineData("PUT", "/metrics", "GET, HEAD")]
    [InlineData("POST", "/openapi.json", "GET, HEAD")]
    [InlineData("POST", "/api/nodes", "GET, HEAD")]
    [InlineData("GET", "/api/counters/alice", "DELETE")]
    [InlineData("POST", "/api/counters", "GET, HEAD, DELETE")]
    [InlineData("POST", "/api/limits/alice", "PUT, DELETE")]
    [InlineData("DELETE", "/api/rules", "GET, HEAD, PUT")]
    [InlineData("GET", "/api/rules/validate", "POST")]
    [InlineData("GET", "/api/explain", "POST")]
    public async Task Method_ThatIsNotTaken_Is405WithWhatIs(string method, string path, string allowed)
    {
        await using var node = await RunningNode.StartAsync();

        var reply = await node.SendAsync(new HttpMethod(method), path);

        Assert.StartsWith($"method: {method} is not allowed here. Use ", reply.Problem(405, "method"), StringComparison.Ordinal);
        Assert.Equal(allowed.Split(", ").Order(StringComparer.Ordinal), reply.Header("Allow")!.Split(", ").Order(StringComparer.Ordinal));
        Assert.Contains("ratelimiter_http_requests_rejected_total{reason=\"method_not_allowed\"} 1\n", (await node.GetAsync("/metrics")).Text);
    }

    // Health checks of balancers and containers ask with HEAD.
    [Theory]
    [InlineData("/health")]
    [InlineData("/health/ready")]
    [InlineData("/metrics")]
    [InlineData("/openapi.json")]
    [InlineData("/")]
    [InlineData("/api/nodes")]
    public async Task Head_IsGetWithoutTheBody(string path)
    {
        await using var node = await RunningNode.StartAsync();
        using var connection = await node.ConnectAsync();

        Assert.Equal(200, (await connection.AskAsync(path, "HEAD")).Status);
        Assert.Equal("test-node", (await connection.AskAsync("/health")).String("node"));
    }
}
