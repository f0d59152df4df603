using AgentApi.Tests.Servers;
using Weir.TestKit.Redis;

[assembly: AssemblyFixture(typeof(Stores))]

namespace AgentApi.Tests.Servers;

/// <summary>The PostgreSQL and Redis that tests share which do them no harm. Each test has a database of its own; Redis is everyone's.</summary>
public sealed class Stores : IAsyncLifetime
{
    /// <summary>So odd that it is found wherever it should not be.</summary>
    public const string RedisPassword = "redis-S3cr3t-of-the-tests";

    private PostgresServer? _postgres;
    private RedisServer? _redis;

    internal PostgresServer Postgres => _postgres!;

    internal RedisServer Redis => _redis!;

    /// <summary>Skips the test where there are no such servers.</summary>
    public static void SkipWithoutServers()
    {
        Assert.SkipWhen(PostgresServer.Unavailable is not null, PostgresServer.Unavailable ?? "");
        Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
    }

    public async ValueTask InitializeAsync()
    {
        if (PostgresServer.Unavailable is not null || RedisServer.Unavailable is not null)
            return;
        _postgres = await PostgresServer.StartAsync();
        _redis = await RedisServer.StartAsync("--requirepass", RedisPassword);
    }

    public async ValueTask DisposeAsync()
    {
        if (_postgres is not null)
            await _postgres.DisposeAsync();
        if (_redis is not null)
            await _redis.DisposeAsync();
    }
}
