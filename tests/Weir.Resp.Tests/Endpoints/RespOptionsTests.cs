namespace Weir.Resp.Tests.Endpoints;

public class RespOptionsTests
{
    private static readonly string[] Secrets = ["s3cret", "4242424242", "p@ss"];

    [Theory]
    [InlineData("redis://localhost", "localhost:6379", 0)]
    [InlineData("REDIS://localhost:7000/3", "localhost:7000", 3)]
    [InlineData("  redis://10.0.0.1:1/  ", "10.0.0.1:1", 0)]
    [InlineData("redis://[::1]:65535/15", "[::1]:65535", 15)]
    [InlineData("redis://[fe80::1]", "[fe80::1]:6379", 0)]
    [InlineData("redis://my_redis.internal", "my_redis.internal:6379", 0)]
    [InlineData("valkey://localhost:6380", "localhost:6380", 0)]
    public void Parse_Standalone(string url, string endpoint, int database)
    {
        var options = RespOptions.Parse(url);
        Assert.Equal(RespTopology.Standalone, options.Topology);
        Assert.Equal(endpoint, Assert.Single(options.Endpoints).ToString());
        Assert.Equal(database, options.Database);
        Assert.Null(options.Tls);
        Assert.Null(options.User);
        Assert.Null(options.Password);
    }

    [Theory]
    [InlineData("redis://user:s3cret@h", "user", "s3cret")]
    [InlineData("redis://:s3cret@h", null, "s3cret")]
    [InlineData("redis://:a:b@h", null, "a:b")]
    [InlineData("redis://u%40x:p%40%2F%3F%25%3a@h", "u@x", "p@/?%:")]
    [InlineData("redis://:p@ss@h", null, "p@ss")]
    [InlineData("redis://:%E2%82%AC@h", null, "€")]
    public void Parse_UserAndPassword(string url, string? user, string password)
    {
        var options = RespOptions.Parse(url);
        Assert.Equal((user, password), (options.User, options.Password));
        Assert.Equal("h", options.Endpoints[0].Host);
        Assert.DoesNotContain(password, options.ToString());
    }

    [Fact]
    public void Parse_Tls()
    {
        Assert.Equal(new RespTlsOptions(), RespOptions.Parse("rediss://h").Tls);
        Assert.Equal(new RespTlsOptions { CaFile = "/etc/a b.pem" }, RespOptions.Parse("rediss://h?tls_ca_file=/etc/a%20b.pem").Tls);
        Assert.Equal(new RespTlsOptions { SkipVerification = true }, RespOptions.Parse("valkeys://h/1?tls_verify=off").Tls);
    }

    [Fact]
    public void Parse_Cluster()
    {
        var options = RespOptions.Parse("rediss+cluster://u:s3cret@a,b:7001,[::2]:7002?tls_verify=on");
        Assert.Equal(RespTopology.Cluster, options.Topology);
        Assert.Equal("a:6379 b:7001 [::2]:7002", string.Join(' ', options.Endpoints));
        Assert.NotNull(options.Tls);
        Assert.Equal("rediss+cluster://a:6379,b:7001,[::2]:7002", options.ToString());
    }

    [Fact]
    public void Parse_Sentinel()
    {
        var options = RespOptions.Parse("redis-sentinel://:s3cret@s1,s2:5000/my%20primary/2?sentinel_user=x&sentinel_password=p%40ss");
        Assert.Equal(RespTopology.Sentinel, options.Topology);
        Assert.Equal("s1:26379 s2:5000", string.Join(' ', options.Endpoints));
        Assert.Equal(("my primary", 2, "s3cret"), (options.PrimaryName, options.Database, options.Password));
        Assert.Equal(("x", "p@ss"), (options.SentinelUser, options.SentinelPassword));
        Assert.Equal("redis-sentinel://s1:26379,s2:5000/my primary/2", options.ToString());
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("localhost:6379", "no scheme")]
    [InlineData("http://localhost", "'http'")]
    [InlineData("redis:/localhost", "no scheme")]
    [InlineData("redis://", "host is missing")]
    [InlineData("redis://:6379", "host is missing")]
    [InlineData("redis://host:", "port is not")]
    [InlineData("redis://host:0", "port is not")]
    [InlineData("redis://host:65536", "port is not")]
    [InlineData("redis://user:4242424242", "port is not")]
    [InlineData("redis://user:s3cret", "port is not")]
    [InlineData("redis://::1:6379", "brackets")]
    [InlineData("redis://[::1", "brackets")]
    [InlineData("redis://[host]", "neither a name nor an address")]
    [InlineData("redis://ho st", "neither a name nor an address")]
    [InlineData("redis://s3cret@host", "no ':'")]
    [InlineData("redis://user:@host", "password is empty")]
    [InlineData("redis://:s3%zzcret@host", "'%'")]
    [InlineData("redis://:s3cret/x@host", "'/' as %2F")]
    [InlineData("redis://:s3cret?x@host", "'?' as %3F")]
    [InlineData("redis://:s3cret#x@host", "'#'")]
    [InlineData("redis://a,b", "2 hosts")]
    [InlineData("redis://host/zero", "not a whole number")]
    [InlineData("redis://host/-1", "not a whole number")]
    [InlineData("redis://host/1/2", "not a whole number")]
    [InlineData("redis+cluster://host/1", "only database 0")]
    [InlineData("redis+cluster://a,,b", "host is missing")]
    [InlineData("redis-sentinel://host", "name of the primary is missing")]
    [InlineData("redis-sentinel://host/", "name of the primary is missing")]
    [InlineData("redis://host?tls_verify=off", "needs TLS")]
    [InlineData("rediss://host?tls_verify=perhaps", "neither 'on' nor 'off'")]
    [InlineData("rediss://host?tls_ca_file=", "no value")]
    [InlineData("redis://host?s3cret=s3cret", "not known")]
    [InlineData("redis://host?sentinel_password=s3cret", "redis-sentinel:// only")]
    public void Parse_WhenWrong_SaysHowToWriteIt(string url, string part)
    {
        Assert.False(RespOptions.TryParse(url, out var options, out var problem));
        Assert.Null(options);
        Assert.Contains(part, problem, StringComparison.Ordinal);
        Assert.All(Secrets, secret => Assert.DoesNotContain(secret, problem, StringComparison.Ordinal));
        Assert.Equal(problem, Assert.Throws<FormatException>(() => RespOptions.Parse(url)).Message);
    }

    [Fact]
    public void Validation_NamesAllProblems()
    {
        var options = new RespOptions
        {
            Endpoints = [],
            User = "u",
            MaxPending = 0,
            ClientName = "a b",
            MinBackOff = TimeSpan.FromSeconds(5),
            StallTimeout = TimeSpan.Zero,
            Limits = new RespLimits { MaxDepth = 33 },
        };
        var message = Assert.Throws<ArgumentException>(() => RespOptionsValidation.ThrowIfInvalid(options)).Message;
        Assert.All(
            ["Endpoints", "User", "MaxPending: 0", "'a b'", "MaxBackOff", "StallTimeout", "MaxDepth: 33"],
            part => Assert.Contains(part, message, StringComparison.Ordinal));
        RespOptionsValidation.ThrowIfInvalid(new RespOptions());
    }

    [Theory]
    [InlineData("10.0.0.2:7001", "10.0.0.2:7001")]
    [InlineData("::1:7001", "[::1]:7001")]
    [InlineData(":7001", "asked:7001")]
    [InlineData("?:7001", "asked:7001")]
    [InlineData("node.example:7001", "node.example:7001")]
    [InlineData("node.example", null)]
    [InlineData("node:0", null)]
    public void Redirection_IsReadAsServersWriteIt(string text, string? endpoint)
    {
        Assert.Equal(endpoint is not null, RespEndpoint.TryParseRedirection(text, new("asked", 1), out var read));
        if (endpoint is not null)
            Assert.Equal(endpoint, read.ToString());
    }
}
