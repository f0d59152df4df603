using Weir.Resp;

namespace Weir.Redis;

/// <summary>What all shards of an engine share.</summary>
internal sealed class EngineContext(IRespClient client, RedisEngineOptions options, TimeProvider time)
{
    private readonly long _ticksPerSecond = time.TimestampFrequency;

    public IRespClient Client { get; } = client;

    public RedisEngineOptions Options { get; } = options;

    public TimeProvider Time { get; } = time;

    public KeySpace Keys { get; } = new(options.Prefix, client is RespClusterClient);

    public WireRules Rules { get; } = new();

    public EngineCounters Counters { get; } = new();

    /// <summary>Told when a shard's health changes.</summary>
    public required Action HealthChanged { get; init; }

    /// <summary>Beats while shards gather.</summary>
    public required Func<Metronome> Metronome { get; init; }

    /// <summary>What waits for decisions that Redis does not make.</summary>
    public required Func<LocalShares> Shares { get; init; }

    /// <summary>A duration as timestamps are counted.</summary>
    public long Ticks(TimeSpan duration) => (long)(duration.TotalSeconds * _ticksPerSecond);

    /// <summary>A difference of timestamps as a duration.</summary>
    public TimeSpan Duration(long ticks) => TimeSpan.FromTicks((long)(ticks * ((double)TimeSpan.TicksPerSecond / _ticksPerSecond)));
}
