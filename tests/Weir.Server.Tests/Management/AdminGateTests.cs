using Weir.Server.Tests.Http;

namespace Weir.Server.Tests.Management;

/// <summary>Who may manage a node.</summary>
public sealed class AdminGateTests
{
    public static TheoryData<string, string> Calls => new()
    {
        { "GET", "/api/nodes" },
        { "GET", "/api/counters" },
        { "DELETE", "/api/counters?id=00000000000000000000000000000000" },
        { "DELETE", "/api/counters/alice" },
        { "GET", "/api/blocks" },
        { "GET", "/api/limits" },
        { "PUT", "/api/limits/alice" },
        { "DELETE", "/api/limits/alice" },
        { "GET", "/api/rules" },
        { "PUT", "/api/rules" },
        { "POST", "/api/rules/validate" },
        { "POST", "/api/explain" },
    };

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Call_WithoutTheToken_Is401AndChangesNothing(string method, string path)
    {
        await using var node = await RunningNode.StartAsync(("ADMIN_TOKEN", "s3cret"));
        await node.GetAsync("/rate-limit/alice");

        var reply = await node.SendAsync(new HttpMethod(method), path, """{"limit":1}""");

        Assert.Contains("Send 'Authorization: Bearer TOKEN'", reply.Problem(401, "Authorization"));
        Assert.Equal("Bearer realm=\"weir\"", reply.Header("WWW-Authenticate"));
        Assert.Equal("""{"overrides":[]}""", await OverridesAsync(node, "s3cret"));
        Assert.Equal(99, await node.RemainingAsync("alice"));
    }

    [Theory]
    [InlineData("Bearer s3cret", 200)]
    [InlineData("bearer s3cret", 200)]
    [InlineData("BEARER  s3cret ", 200)]
    [InlineData("", 401)]
    [InlineData("s3cret", 401)]
    [InlineData("Bearer", 401)]
    [InlineData("Bearer ", 401)]
    [InlineData("Bearers3cret", 401)]
    [InlineData("Bearer S3cret", 401)]
    [InlineData("Bearer s3cre", 401)]
    [InlineData("Bearer s3crets", 401)]
    [InlineData("Bearer s3cret s3cret", 401)]
    [InlineData("Bearer s3cret, Bearer s3cret", 401)]
    [InlineData("Basic czNjcmV0", 401)]
    [InlineData("Basic s3cret", 401)]
    [InlineData("Token s3cret", 401)]
    public async Task Token_MustBeWholeAndABearers(string authorization, int status)
    {
        await using var node = await RunningNode.StartAsync(("ADMIN_TOKEN", "s3cret"));

        var reply = await node.SendAsync(HttpMethod.Get, "/api/nodes", null, ("Authorization", authorization));

        Assert.Equal(status, reply.Status);
        Assert.Equal(status == 401, reply.Header("WWW-Authenticate") is not null);
        Assert.DoesNotContain("s3cret", reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_SentTwice_IsRefused()
    {
        await using var node = await RunningNode.StartAsync(("ADMIN_TOKEN", "s3cret"));
        using var connection = await node.ConnectAsync();

        await connection.SendAsync(RawConnection.Request("/api/nodes", headers: "Authorization: Bearer s3cret\r\nAuthorization: Bearer s3cret\r\n"));

        Assert.Equal(401, (await connection.ReadAsync()).Status);
    }

    [Theory]
    [InlineData("/rate-limit/alice")]
    [InlineData("/health")]
    [InlineData("/health/ready")]
    [InlineData("/metrics")]
    [InlineData("/openapi.json")]
    public async Task OtherCalls_NeedNoToken(string path)
    {
        await using var node = await RunningNode.StartAsync(("ADMIN_TOKEN", "s3cret"));

        Assert.Equal(200, (await node.GetAsync(path)).Status);
    }

    [Fact]
    public async Task NoToken_LeavesManagementOpen()
    {
        await using var node = await RunningNode.StartAsync();

        Assert.Equal(200, (await node.GetAsync("/api/nodes")).Status);
        Assert.Equal(200, (await node.SendAsync(HttpMethod.Get, "/api/nodes", null, ("Authorization", "Bearer whatever"))).Status);
    }

    [Fact]
    public async Task Refusals_AreCounted()
    {
        await using var node = await RunningNode.StartAsync(("ADMIN_TOKEN", "s3cret"));

        await node.GetAsync("/api/nodes");
        await node.GetAsync("/api/rules");

        Assert.Contains("ratelimiter_http_requests_rejected_total{reason=\"unauthorized\"} 2\n", (await node.GetAsync("/metrics")).Text);
    }

    private static async Task<string> OverridesAsync(RunningNode node, string token)
    {
        var limits = await node.SendAsync(HttpMethod.Get, "/api/limits", null, ("Authorization", $"Bearer {token}"));
        return $$"""{"overrides":{{limits.Json.GetProperty("overrides").GetRawText()}}}""";
    }
}
