using System.Net;
using Microsoft.Extensions.Logging;
using Weir.Server.Configuration;

namespace Weir.Server.Tests.Configuration;

public sealed class NodeConfigTests
{
    [Fact]
    public void Create_FromNothing_HasTheDocumentedDefaults()
    {
        var config = NodeConfig.Create(NodeOptions.From([]));

        Assert.Equal(Environment.MachineName, config.NodeId);
        Assert.Equal((IPAddress.Any, 8000), (config.Address, config.Port));
        Assert.Equal(("default", "default", "default"), (config.DefaultRule.Domain, config.DefaultRule.Name, config.DefaultRule.Path));
        Assert.Equal((100, TimeSpan.FromMinutes(1)), (config.DefaultRule.Permits, config.DefaultRule.Window));
        Assert.Equal(AlgorithmKind.SlidingWindow, config.DefaultRule.Algorithm);
        Assert.Equal((FailurePolicy.Closed, FailurePolicy.Closed), (config.FailurePolicy, config.DefaultRule.Failure));
        Assert.Equal((LogLevel.Information, LogFormat.Line), (config.LogLevel, config.LogFormat));
        Assert.Equal(1_000_000, config.MaxCounters);
        Assert.Equal((TimeSpan.FromSeconds(10), TimeSpan.Zero), (config.ShutdownGrace, config.Drain));
        Assert.Equal((null, null), (config.AdminToken, config.RulesPath));
        Assert.Empty(config.Warnings);
    }

    [Fact]
    public void Create_TakesEveryValueGiven()
    {
        var config = Create(
            ("NODE_ID", "node-1"), ("NODE_HOST", "::1"), ("NODE_PORT", "0"), ("DEFAULT_LIMIT", "7"), ("DEFAULT_WINDOW_MS", "250"),
            ("DEFAULT_ALGORITHM", "Token-Bucket"), ("RULES", AppContext.BaseDirectory), ("ADMIN_TOKEN", "s3cret"), ("FAILURE_POLICY", "OPEN"),
            ("LOG_LEVEL", "debug"), ("LOG_FORMAT", "json"), ("MAX_COUNTERS", "5000"), ("SHUTDOWN_GRACE_MS", "1500"), ("DRAIN_MS", "200"));

        Assert.Equal(("node-1", IPAddress.IPv6Loopback, 0), (config.NodeId, config.Address, config.Port));
        Assert.Equal((7, TimeSpan.FromMilliseconds(250)), (config.DefaultRule.Permits, config.DefaultRule.Window));
        Assert.Equal((AlgorithmKind.TokenBucket, FailurePolicy.Open), (config.DefaultRule.Algorithm, config.DefaultRule.Failure));
        Assert.Equal((AppContext.BaseDirectory, "s3cret", FailurePolicy.Open), (config.RulesPath, config.AdminToken, config.FailurePolicy));
        Assert.Equal((LogLevel.Debug, LogFormat.Json, 5000), (config.LogLevel, config.LogFormat, config.MaxCounters));
        Assert.Equal((TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(0.2)), (config.ShutdownGrace, config.Drain));
    }

    [Theory]
    [InlineData("localhost", "127.0.0.1")]
    [InlineData("127.0.0.2", "127.0.0.2")]
    public void Create_TakesAnAddressOrAName(string host, string expected) =>
        Assert.Equal(IPAddress.Parse(expected), Create(("NODE_HOST", host)).Address);

    [Fact]
    public void Create_AStarListensOnEveryAddress() =>
        Assert.Contains(Create(("NODE_HOST", "*")).Address, new[] { IPAddress.Any, IPAddress.IPv6Any });

    [Theory]
    [InlineData("NODE_PORT", "80x", "RATELIMITER_NODE_PORT: '80x' must be a whole number from 0 to 65,535.")]
    [InlineData("NODE_PORT", "-1", "RATELIMITER_NODE_PORT: '-1' must be a whole number from 0 to 65,535.")]
    [InlineData("NODE_PORT", "65536", "RATELIMITER_NODE_PORT: '65536' must be a whole number from 0 to 65,535.")]
    [InlineData("NODE_HOST", "no such host", "RATELIMITER_NODE_HOST: 'no such host' must be an IP address, localhost, * for every address, or a host name that resolves.")]
    [InlineData("NODE_ID", "a b", "RATELIMITER_NODE_ID: 'a b' must be 1 to 512 printable ASCII characters without spaces.")]
    [InlineData("DEFAULT_LIMIT", "1.5", "RATELIMITER_DEFAULT_LIMIT: '1.5' must be a whole number from 0 to 4,294,967,295.")]
    [InlineData("DEFAULT_LIMIT", "99999999999999999999", "RATELIMITER_DEFAULT_LIMIT: '99999999999999999999' must be a whole number from 0 to 4,294,967,295.")]
    [InlineData("DEFAULT_WINDOW_MS", "0", "RATELIMITER_DEFAULT_WINDOW_MS: '0' must be a whole number from 1 to 31,622,400,000.")]
    [InlineData("DEFAULT_WINDOW_MS", "1m", "RATELIMITER_DEFAULT_WINDOW_MS: '1m' must be a whole number from 1 to 31,622,400,000.")]
    [InlineData("DEFAULT_ALGORITHM", "gcra", "RATELIMITER_DEFAULT_ALGORITHM: 'gcra' must be sliding-window, token-bucket, fixed-window, sliding-counter or concurrency.")]
    [InlineData("RULES", "/no/such/rules.yaml", "RATELIMITER_RULES: '/no/such/rules.yaml' must be the path of an existing file or folder.")]
    [InlineData("ADMIN_TOKEN", "two words", "RATELIMITER_ADMIN_TOKEN: '***' must be 1 to 512 printable ASCII characters without spaces.")]
    [InlineData("FAILURE_POLICY", "maybe", "RATELIMITER_FAILURE_POLICY: 'maybe' must be closed, open or local.")]
    [InlineData("LOG_LEVEL", "verbose", "RATELIMITER_LOG_LEVEL: 'verbose' must be trace, debug, info, warn or error.")]
    [InlineData("LOG_FORMAT", "xml", "RATELIMITER_LOG_FORMAT: 'xml' must be line or json.")]
    [InlineData("MAX_COUNTERS", "999", "RATELIMITER_MAX_COUNTERS: '999' must be a whole number from 1,000 to 100,000,000.")]
    [InlineData("SHUTDOWN_GRACE_MS", "600001", "RATELIMITER_SHUTDOWN_GRACE_MS: '600001' must be a whole number from 0 to 600,000.")]
    [InlineData("DRAIN_MS", "x", "RATELIMITER_DRAIN_MS: 'x' must be a whole number from 0 to 600,000.")]
    [InlineData("REDIS_URL", "redis://user:pw@host:6379", "RATELIMITER_REDIS_URL: 'redis://***@host:6379' needs the Redis engine, and this build has only the memory engine. Remove the setting to count in this node's memory.")]
    [InlineData("DEFAULT_LIMIT", "1000001", "RATELIMITER_DEFAULT_LIMIT, _WINDOW_MS and _ALGORITHM: limit 1000001 must be 0 to 1,000,000 for sliding-window. It remembers every admitted request; use token-bucket or sliding-counter for more.")]
    public void TryCreate_ABadValue_NamesSettingValueAndCure(string name, string value, string problem) =>
        Assert.Equal([problem], Problems((name, value)));

    [Fact]
    public void TryCreate_ManyBadValues_AreToldTogether() =>
        Assert.Equal(4, Problems(("NODE_PORT", "x"), ("LOG_LEVEL", "x"), ("DEFAULT_LIMIT", "x"), ("RULES", "/no/such")).Count);

    [Fact]
    public void TryCreate_ABadFlag_IsCalledByItsFlag()
    {
        var problems = new List<string>();

        Assert.Null(NodeConfig.TryCreate(NodeOptions.From([new("RATELIMITER_NODE_PORT", "1")], [new("--node-port", "x")]), problems));
        Assert.StartsWith("--node-port: 'x' must be", Assert.Single(problems));
    }

    [Fact]
    public void Create_WithATokenFile_TakesItsTextTrimmed()
    {
        using var file = new TextFile(" s3cret\n");

        Assert.Equal("s3cret", Create(("ADMIN_TOKEN_FILE", file.Path)).AdminToken);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("two words")]
    public void TryCreate_WithATokenFileOfNoToken_SaysSoWithoutShowingIt(string text)
    {
        using var file = new TextFile(text);

        Assert.Equal(
            [$"RATELIMITER_ADMIN_TOKEN_FILE: the text of '{file.Path}' must be 1 to 512 printable ASCII characters without spaces."],
            Problems(("ADMIN_TOKEN_FILE", file.Path)));
    }

    [Fact]
    public void TryCreate_WithATokenFileThatIsMissing_SaysSo() =>
        Assert.StartsWith("RATELIMITER_ADMIN_TOKEN_FILE: '/no/such/token' cannot be read: ", Assert.Single(Problems(("ADMIN_TOKEN_FILE", "/no/such/token"))));

    [Fact]
    public void TryCreate_WithTokenAndTokenFile_AsksForOne() =>
        Assert.Contains(
            "RATELIMITER_ADMIN_TOKEN and RATELIMITER_ADMIN_TOKEN_FILE are both set. Remove one of them.",
            Problems(("ADMIN_TOKEN", "a"), ("ADMIN_TOKEN_FILE", "/no/such")));

    [Fact]
    public void Create_WithATokenFlagOverAFileFromTheEnvironment_TakesTheFlag()
    {
        var options = NodeOptions.From([new("RATELIMITER_ADMIN_TOKEN_FILE", "/no/such")], [new("--admin-token", "flag")]);

        Assert.Equal("flag", NodeConfig.Create(options).AdminToken);
    }

    [Fact]
    public void Create_WithProblems_ThrowsThemAll()
    {
        var e = Assert.Throws<ArgumentException>(() => Create(("NODE_PORT", "x"), ("LOG_LEVEL", "y")));

        Assert.Contains("RATELIMITER_NODE_PORT", e.Message);
        Assert.Contains("RATELIMITER_LOG_LEVEL", e.Message);
    }

    [Fact]
    public void ToString_KeepsTheToken() => Assert.DoesNotContain("s3cret", Create(("ADMIN_TOKEN", "s3cret")).ToString());

    private static NodeOptions Options((string Name, string Value)[] values) =>
        NodeOptions.From(values.Select(v => KeyValuePair.Create(Setting.Prefix + v.Name, v.Value)));

    private static NodeConfig Create(params (string Name, string Value)[] values) => NodeConfig.Create(Options(values));

    private static List<string> Problems(params (string Name, string Value)[] values)
    {
        var problems = new List<string>();
        Assert.Null(NodeConfig.TryCreate(Options(values), problems));
        return problems;
    }

    private sealed class TextFile : IDisposable
    {
        public TextFile(string text) => File.WriteAllText(Path, text);

        public string Path { get; } = System.IO.Path.GetTempFileName();

        public void Dispose() => File.Delete(Path);
    }
}
