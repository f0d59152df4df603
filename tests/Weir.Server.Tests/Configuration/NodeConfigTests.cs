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
        Assert.Equal((Environment.MachineName, IPAddress.Any, 8000), (config.Host, config.Address, config.Port));
        Assert.Equal((null, "weir"), (config.Redis, config.RedisPrefix));
        Assert.Equal((TimeSpan.FromMilliseconds(15), TimeSpan.FromSeconds(30)), (config.DecisionTimeout, config.NodeTtl));
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
            ("NODE_ID", "node-1"), ("NODE_HOST", "ratelimiter-1"), ("LISTEN_ADDRESS", "::1"), ("NODE_PORT", "0"), ("NODE_TTL_MS", "5000"),
            ("REDIS_URL", "redis://user:pw@cache:6380/2"), ("REDIS_PREFIX", "limits"), ("DECISION_TIMEOUT_MS", "7"), ("DEFAULT_LIMIT", "7"), ("DEFAULT_WINDOW_MS", "250"),
            ("DEFAULT_ALGORITHM", "Token-Bucket"), ("RULES", AppContext.BaseDirectory), ("ADMIN_TOKEN", "s3cret"), ("FAILURE_POLICY", "OPEN"),
            ("LOG_LEVEL", "debug"), ("LOG_FORMAT", "json"), ("MAX_COUNTERS", "5000"), ("SHUTDOWN_GRACE_MS", "1500"), ("DRAIN_MS", "200"));

        Assert.Equal(("node-1", "ratelimiter-1", IPAddress.IPv6Loopback, 0), (config.NodeId, config.Host, config.Address, config.Port));
        Assert.Equal(("redis://cache:6380/2", "user", "pw", "limits"), ($"{config.Redis}", config.Redis!.User, config.Redis.Password, config.RedisPrefix));
        Assert.Equal((TimeSpan.FromMilliseconds(7), TimeSpan.FromSeconds(5)), (config.DecisionTimeout, config.NodeTtl));
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
        Assert.Equal(IPAddress.Parse(expected), Create(("LISTEN_ADDRESS", host)).Address);

    [Theory]
    [InlineData("ratelimiter-1")]
    [InlineData("ratelimiter_1.weir.svc")]
    [InlineData("10.0.0.7")]
    [InlineData("fd00::7")]
    public void Create_TakesAnyHostByWhichItIsKnown(string host) => Assert.Equal(host, Create(("NODE_HOST", host)).Host);

    [Theory]
    [InlineData("redis+cluster://a:7000,b:7001", "redis+cluster://a:7000,b:7001")]
    [InlineData("redis-sentinel://:pw@a,b/main?sentinel_password=s3cret", "redis-sentinel://a:26379,b:26379/main")]
    [InlineData("valkeys://host", "rediss://host:6379")]
    public void Create_TakesEveryFormOfAUrl(string url, string expected) => Assert.Equal(expected, $"{Create(("REDIS_URL", url)).Redis}");

    [Theory]
    [InlineData("http://s3cret@host")]
    [InlineData("redis://user:s3cret")]
    [InlineData("redis://:pa/s3cret@host")]
    [InlineData("s3cret")]
    [InlineData("redis-sentinel://host/main?sentinel_password=s3cret&x=y")]
    public void TryCreate_AUrlThatIsWrong_IsNotRepeated(string url) => Assert.DoesNotContain("s3cret", Assert.Single(Problems(("REDIS_URL", url))));

    [Fact]
    public void Create_AStarListensOnEveryAddress() =>
        Assert.Contains(Create(("LISTEN_ADDRESS", "*")).Address, new[] { IPAddress.Any, IPAddress.IPv6Any });

    [Theory]
    [InlineData("NODE_PORT", "80x", "RATELIMITER_NODE_PORT: '80x' must be a whole number from 0 to 65,535.")]
    [InlineData("NODE_PORT", "-1", "RATELIMITER_NODE_PORT: '-1' must be a whole number from 0 to 65,535.")]
    [InlineData("NODE_PORT", "65536", "RATELIMITER_NODE_PORT: '65536' must be a whole number from 0 to 65,535.")]
    [InlineData("LISTEN_ADDRESS", "no such host", "RATELIMITER_LISTEN_ADDRESS: 'no such host' must be an IP address, localhost, * for every address, or a host name that resolves.")]
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
    [InlineData("NODE_HOST", "0.0.0.0", "RATELIMITER_NODE_HOST: '0.0.0.0' must be a host name or IP address by which others reach this node; what it listens on is RATELIMITER_LISTEN_ADDRESS.")]
    [InlineData("NODE_HOST", "http://a", "RATELIMITER_NODE_HOST: 'http://a' must be a host name or IP address by which others reach this node; what it listens on is RATELIMITER_LISTEN_ADDRESS.")]
    [InlineData("NODE_TTL_MS", "499", "RATELIMITER_NODE_TTL_MS: '499' must be a whole number from 500 to 3,600,000.")]
    [InlineData("DECISION_TIMEOUT_MS", "4", "RATELIMITER_DECISION_TIMEOUT_MS: '4' must be a whole number from 5 to 10,000.")]
    [InlineData("REDIS_PREFIX", "a{b}", "RATELIMITER_REDIS_PREFIX: 'a{b}' must be 1 to 64 printable ASCII characters without spaces and braces.")]
    [InlineData("REDIS_URL", "http://host:6379", "RATELIMITER_REDIS_URL: The scheme 'http' is not known. Write redis://host:6379, rediss:// for TLS, redis+cluster:// for a Cluster, or redis-sentinel:// for Sentinels.")]
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
    public void Create_WithARedisPasswordFile_AuthenticatesWithItsText()
    {
        using var file = new TextFile("p@ss/word\n");

        Assert.Equal("p@ss/word", Create(("REDIS_URL", "redis://cache:6379"), ("REDIS_PASSWORD_FILE", file.Path)).Redis!.Password);
    }

    [Fact]
    public void TryCreate_WithAPasswordInTheUrlAndInAFile_AsksForOne()
    {
        using var file = new TextFile("other");

        Assert.Equal(
            ["RATELIMITER_REDIS_URL has a password and RATELIMITER_REDIS_PASSWORD_FILE is set. Remove one of them."],
            Problems(("REDIS_URL", "redis://:s3cret@cache"), ("REDIS_PASSWORD_FILE", file.Path)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    public void TryCreate_WithARedisPasswordFileOfNoPassword_SaysSoWithoutShowingIt(string text)
    {
        using var file = new TextFile(text);

        Assert.Equal(
            [$"RATELIMITER_REDIS_PASSWORD_FILE: the text of '{file.Path}' must be 1 to 512 printable ASCII characters without spaces."],
            Problems(("REDIS_URL", "redis://cache"), ("REDIS_PASSWORD_FILE", file.Path)));
    }

    [Fact]
    public void Create_WithARedisPasswordFileButNoRedis_DoesNotReadIt() => Assert.Null(Create(("REDIS_PASSWORD_FILE", "/no/such/password")).Redis);

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
