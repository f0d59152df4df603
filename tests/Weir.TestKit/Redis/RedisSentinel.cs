namespace Weir.TestKit.Redis;

/// <summary>A primary with a replica, and three Sentinels that watch them and fail over within about two seconds.</summary>
public sealed class RedisSentinel : IAsyncDisposable
{
    /// <summary>What the Sentinels call the primary.</summary>
    public const string PrimaryName = "weir-primary";

    private const int SentinelCount = 3;

    private readonly List<RedisServer> _sentinels = [];

    private RedisSentinel(RedisServer primary, RedisServer replica)
    {
        Primary = primary;
        Replica = replica;
    }

    /// <summary>The server that was the primary at the start.</summary>
    public RedisServer Primary { get; }

    /// <summary>The server that was its replica.</summary>
    public RedisServer Replica { get; }

    /// <summary>The Sentinels.</summary>
    public IReadOnlyList<RedisServer> Sentinels => _sentinels;

    /// <summary>The URL of the primary, naming all Sentinels.</summary>
    public string Url => $"redis-sentinel://{string.Join(',', _sentinels.Select(static s => $"127.0.0.1:{s.Port}"))}/{PrimaryName}";

    /// <summary>Starts all of them and waits until they know each other.</summary>
    public static async Task<RedisSentinel> StartAsync()
    {
        var primary = await RedisServer.StartAsync("--repl-diskless-sync-delay", "0");
        var replica = await RedisServer.StartAsync("--replicaof", "127.0.0.1", $"{primary.Port}");
        var group = new RedisSentinel(primary, replica);
        try
        {
            await Eventually.IsTrueAsync(() => replica.Call("INFO", "replication").Text.Contains("master_link_status:up"), "the replica follows");
            for (var i = 0; i < SentinelCount; i++)
                group._sentinels.Add(await StartSentinelAsync(primary.Port));
            await Eventually.IsTrueAsync(group.KnowEachOther, "the Sentinels know each other and the replica");
            return group;
        }
        catch
        {
            await group.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lets the servers and the Sentinels ask everybody for a password from now on. They cannot be called by tests any more.</summary>
    public void RequirePasswords(string ofServers, string ofSentinels)
    {
        foreach (var sentinel in _sentinels)
        {
            sentinel.Demand("SENTINEL", "SET", PrimaryName, "auth-pass", ofServers);
            sentinel.Demand("SENTINEL", "CONFIG", "SET", "sentinel-pass", ofSentinels);
        }
        Primary.RequirePassword(ofServers);
        Replica.RequirePassword(ofServers);
        foreach (var sentinel in _sentinels)
            sentinel.Demand("ACL", "SETUSER", "default", "resetpass", $">{ofSentinels}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var sentinel in _sentinels)
            await sentinel.DisposeAsync();
        await Replica.DisposeAsync();
        await Primary.DisposeAsync();
    }

    private static Task<RedisServer> StartSentinelAsync(int primary) => RedisServer.StartAsync(
        static _ => ["--sentinel"],
        $$"""
        port {port}
        sentinel monitor {{PrimaryName}} 127.0.0.1 {{primary}} 2
        sentinel down-after-milliseconds {{PrimaryName}} 500
        sentinel failover-timeout {{PrimaryName}} 2000
        """);

    private bool KnowEachOther() => _sentinels.TrueForAll(static s =>
    {
        var facts = s.Call("SENTINEL", "MASTER", PrimaryName).Items.Select(static i => i.Text).ToList();
        return facts[facts.IndexOf("num-slaves") + 1] == "1" && facts[facts.IndexOf("num-other-sentinels") + 1] == $"{SentinelCount - 1}";
    });
}
