namespace Weir.Redis.Tests.Fleets;

/// <summary>The instant at which several nodes decide, set by the test.</summary>
internal sealed class TestTime
{
    /// <summary>Where it begins: five seconds into a window of ten, twenty or sixty.</summary>
    public const long Start = 1_767_225_605_000_000;

    private long _now = Start;

    public long NowMicros
    {
        get => Volatile.Read(ref _now);
        set => Volatile.Write(ref _now, value);
    }

    /// <summary>A node whose decisions are made at the test's instants.</summary>
    public async Task<RedisNode> StartAsync(int port)
    {
        var node = new RedisNode($"redis://127.0.0.1:{port}", new RedisEngineOptions { DecisionTimeout = RedisNode.Patient });
        foreach (var shard in node.Engine.Shards)
        {
            shard.Clock.Exact = () => NowMicros;
            shard.Memory.Refuses = false;
        }
        await node.Engine.StartAsync();
        return node;
    }
}
