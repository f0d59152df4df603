using Weir.Resp;

namespace Weir.Redis;

/// <summary>Decides by counters that all nodes share.</summary>
public sealed class RedisEngine : ILimiter, IAsyncDisposable
{
    public RedisEngine(IRespClient client, RedisEngineOptions? options = null, TimeProvider? time = null) => throw new NotSupportedException();

    /// <summary>Told when the engine's state changes, by any thread, in order. Must be quick. Set before <see cref="StartAsync"/>.</summary>
    public Action<EngineStatus>? StatusChanged { get; set; }

    /// <summary>How things are now: the worst of the shards.</summary>
    public EngineStatus Status => throw new NotSupportedException();

    /// <summary>Nodes that share the limits now; the policy <c>local</c> decides from one such part. 1 or more.</summary>
    public int Nodes { get; set; } = 1;

    public long ActiveCounters => throw new NotSupportedException();

    /// <summary>Connects and begins to decide. Returns when the first attempt has succeeded or failed; attempts go on.</summary>
    /// <exception cref="RespFailureException">The first attempt failed; the message says why.</exception>
    public Task StartAsync(CancellationToken cancellation) => throw new NotSupportedException();

    public ValueTask<Decision> DecideAsync(in Charge charge) => throw new NotSupportedException();

    public ValueTask<Decision> DecideAsync(ReadOnlyMemory<Charge> charges, Memory<Decision> decisions) => throw new NotSupportedException();

    public ValueTask<long> SettleAsync(in Charge charge, long? stamp, int actual) => throw new NotSupportedException();

    public ValueTask<bool> RenewAsync(in Charge charge, long stamp) => throw new NotSupportedException();

    public ValueTask<bool> ResetAsync(CounterId id) => throw new NotSupportedException();

    public ValueTask<CounterPage> ListAsync(long cursor, int count, bool blockedOnly) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
