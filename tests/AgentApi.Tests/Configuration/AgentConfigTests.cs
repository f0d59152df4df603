using AgentApi.Configuration;

namespace AgentApi.Tests.Configuration;

public sealed class AgentConfigTests
{
    [Fact]
    public void Defaults_AreThoseOfTheReadme()
    {
        var config = Read();

        Assert.Equal(("localhost:5432/agent", "redis://localhost:6379"), (config.Database.ToString(), config.Cache.ToString()));
        Assert.Equal((8080, 3, 5, 30), (config.Port, (int)config.Drain.TotalSeconds, (int)config.ShutdownGrace.TotalSeconds, (int)config.StartTimeout.TotalSeconds));
        Assert.Equal((Environment.MachineName, LimiterKind.Memory, Weir.FailurePolicy.Closed), (config.Instance, config.Limiter.Kind, config.Limiter.Failure));
        Assert.Equal((6_000, 600, 20_000), (config.Limiter.AddressPerMinute, config.Limiter.UserPerMinute, config.Limiter.TokensPerMinute));
        Assert.Empty(config.ApiKeys.Users);
        Assert.Empty(config.TrustedProxies);
    }

    [Fact]
    public void Readme_ListsEverySetting()
    {
        var readme = Path.Combine(AppContext.BaseDirectory, "AgentApi.README.md");
        var text = File.ReadAllText(readme);

        foreach (var name in Spy())
            Assert.Contains($"`{name}`", text);

        // Reads a configuration and notes what it asks for.
        static IEnumerable<string> Spy()
        {
            var variables = new SpyingVariables();
            AgentConfig.TryCreate(variables, []);
            return variables.Asked;
        }
    }

    [Fact]
    public void Problems_AreToldTogether_WithNameValueAndCure()
    {
        var problems = ProblemsOf(
            ("PORT", "65536"), ("DB_PORT", "x"), ("LOG_LEVEL", "loud"), ("DRAIN_SECONDS", "-1"), ("LISTEN_ADDRESS", "everywhere"), ("INSTANCE_NAME", "two words"),
            ("TRUSTED_PROXIES", "10.0.0.0/8,proxy"), ("WEIR_NODES", "weir-1:8000,ftp://x"), ("WEIR_FAILURE_POLICY", "maybe"), ("API_KEYS", "alice:short"),
            ("DB_POOL_SIZE", "0"), ("LIMIT_TOKENS_PER_MINUTE", "1e9"));

        Assert.Equal(12, problems.Count);
        Assert.Contains("PORT: '65536' must be a whole number from 0 to 65535.", problems);
        Assert.Contains("LOG_LEVEL: 'loud' must be one of trace, debug, info, warn, error.", problems);
        Assert.Contains("TRUSTED_PROXIES: 'proxy' must be an address or a network such as 172.18.0.0/16, several with commas between.", problems);
        Assert.Contains("WEIR_NODES: 'ftp://x' must be host:port or http://host:port, several with commas between.", problems);
    }

    [Fact]
    public void Url_AndParts_SayTheSame()
    {
        var url = Read(("DATABASE_URL", "postgres://al%40ice:p%3Ass%2Fw%23rd@db.example:5433/mem?sslmode=verify-full"));
        var parts = Read(("DB_HOST", "db.example"), ("DB_PORT", "5433"), ("DB_NAME", "mem"), ("DB_USER", "al@ice"), ("DB_PASSWORD", "p:ss/w#rd"));

        Assert.Equal("db.example:5433/mem", url.Database.ToString());
        var (one, other) = (new Npgsql.NpgsqlConnectionStringBuilder(url.Database.ConnectionString), new Npgsql.NpgsqlConnectionStringBuilder(parts.Database.ConnectionString));
        Assert.Equal((other.Host, other.Port, other.Database, other.Username, other.Password), (one.Host, one.Port, one.Database, one.Username, one.Password));
        Assert.Equal("p:ss/w#rd", one.Password);
        Assert.Equal(Npgsql.SslMode.VerifyFull, one.SslMode);
        Assert.Equal((SecretSource.Environment, SecretSource.Environment), (url.Database.Password, parts.Database.Password));
    }

    [Theory]
    [InlineData("DATABASE_URL", "mysql://agent:hidden-pass@db/agent")]
    [InlineData("DATABASE_URL", "agent:hidden-pass@db")]
    [InlineData("DATABASE_URL", "postgres://agent:hidden-pass@db/agent?password=hidden-pass")]
    [InlineData("REDIS_URL", "http://:hidden-pass@cache")]
    [InlineData("REDIS_URL", "redis://:hidden-pass@cache:x")]
    [InlineData("API_KEYS", "alice=hidden-pass")]
    [InlineData("API_KEYS", "alice:hidden-pass,bob:hidden-pass")]
    [InlineData("API_KEYS", "Alice:hidden-pass")]
    public void Problems_ShowNoSecret(string name, string value)
    {
        var problems = ProblemsOf((name, value));

        Assert.Contains(name, Assert.Single(problems));
        Assert.DoesNotContain("hidden-pass", problems[0]);
    }

    [Fact]
    public void Secrets_ComeFromFiles_WithoutTheirLineEnds()
    {
        using var file = new SecretFile("s3cret \n");

        var config = Read(("DB_PASSWORD_FILE", file.Path), ("CACHE_PASSWORD_FILE", file.Path));

        Assert.Equal("s3cret ", new Npgsql.NpgsqlConnectionStringBuilder(config.Database.ConnectionString).Password);
        Assert.Equal("s3cret ", config.Cache.Password);
        Assert.Equal((SecretSource.File, SecretSource.File), (config.Database.Password, config.CachePassword));
    }

    [Fact]
    public void Secrets_InTwoPlaces_OrInFilesThatCannotBeRead_AreProblems()
    {
        using var file = new SecretFile("\n");

        Assert.Equal(["DB_PASSWORD and DB_PASSWORD_FILE are both set. Remove one of them."], ProblemsOf(("DB_PASSWORD", "x"), ("DB_PASSWORD_FILE", file.Path)));
        Assert.Equal([$"DB_PASSWORD_FILE: '{file.Path}' is empty: write the secret into it."], ProblemsOf(("DB_PASSWORD_FILE", file.Path)));
        Assert.StartsWith("CACHE_PASSWORD_FILE: '/nowhere/at/all' cannot be read", Assert.Single(ProblemsOf(("CACHE_PASSWORD_FILE", "/nowhere/at/all"))));
        Assert.Equal(["DB_PASSWORD: DATABASE_URL has a password too. Remove one of them."], ProblemsOf(("DATABASE_URL", "postgres://u:p@db/x"), ("DB_PASSWORD", "y")));
        Assert.Equal(["DATABASE_URL and DB_HOST: both are set. Remove one of them."], ProblemsOf(("DATABASE_URL", "postgres://u@db/x"), ("DB_HOST", "y")));
    }

    [Fact]
    public void Nodes_DecideWhenTheyAreNamed()
    {
        Assert.Equal(LimiterKind.Nodes, Read(("WEIR_NODES", "weir-1:8000, http://weir-2:8000")).Limiter.Kind);
        Assert.Equal(["weir-1:8000", "weir-2:8000"], Read(("WEIR_NODES", "weir-1:8000, http://weir-2:8000")).Limiter.Nodes.Select(static n => n.Authority));
        Assert.Equal(LimiterKind.Off, Read(("WEIR_NODES", "weir-1:8000"), ("WEIR_LIMITER", "off")).Limiter.Kind);
        Assert.StartsWith("WEIR_NODES: it is missing.", Assert.Single(ProblemsOf(("WEIR_LIMITER", "nodes"))));
        // NAME=${NAME:-} in a Compose file means the default.
        Assert.Equal(LimiterKind.Memory, Read(("WEIR_NODES", ""), ("PORT", " ")).Limiter.Kind);
    }

    [Fact]
    public void ApiKeys_AreFoundByTheirText()
    {
        var keys = Read(("API_KEYS", "alice:wonderland-1,alice:wonderland-2\nbob:builder:22")).ApiKeys;

        Assert.Equal(["alice", "bob"], keys.Users.Order());
        Assert.True(keys.TryFind("wonderland-2", out var alice));
        Assert.True(keys.TryFind("builder:22", out var bob));
        Assert.Equal(("alice", "bob"), (alice, bob));
        foreach (var wrong in new[] { "", "wonderland-3", "Wonderland-1", "wonderland-1 ", new string('x', 5_000) })
            Assert.False(keys.TryFind(wrong, out _));
    }

    private static AgentConfig Read(params (string Name, string Value)[] variables)
    {
        var problems = new List<string>();
        var config = AgentConfig.TryCreate(variables.ToDictionary(static v => v.Name, static v => v.Value), problems);
        Assert.Empty(problems);
        return config!;
    }

    private static List<string> ProblemsOf(params (string Name, string Value)[] variables)
    {
        var problems = new List<string>();
        Assert.Null(AgentConfig.TryCreate(variables.ToDictionary(static v => v.Name, static v => v.Value), problems));
        return problems;
    }

    private sealed class SecretFile : IDisposable
    {
        public SecretFile(string text) => File.WriteAllText(Path, text);

        public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"weir-secret-{Guid.NewGuid():n}");

        public void Dispose() => File.Delete(Path);
    }
}
