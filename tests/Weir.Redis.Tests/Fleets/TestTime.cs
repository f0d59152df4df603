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
    /// <param name="port">The server.</param>
    /// <param name="refusesFromMemory">Whether it remembers refusals; its own clock is the test's then, too.</param>
    public async Task<RedisNode> StartAsync(int port, bool refusesFromMemory = false)
    {
        var node = new RedisNode(
            $"redis://127.0.0.1:{port}", new RedisEngineOptions { DecisionTimeout = RedisNode.Patient }, refusesFromMemory ? new Clock(this) : null);
        foreach (var shard in node.Engine.Shards)
        {
            shard.Clock.Exact = () => NowMicros;
            shard.Memory.Refuses = refusesFromMemory;
        }
        await node.Engine.StartAsync();
        return node;
    }

    private sealed class Clock(TestTime time) : TimeProvider
    {
        public override long TimestampFrequency => 1_000_000;

        public override long GetTimestamp() => time.NowMicros;
    }
}
