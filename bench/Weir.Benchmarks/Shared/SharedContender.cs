using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Text;
using Weir.Redis;
using Weir.Resp;

namespace Weir.Benchmarks.Shared;

/// <summary>A way to decide on a shared Redis.</summary>
internal sealed record SharedContender(string Name, bool IsBaseline, Func<IRespClient, Task<SharedSession>> OpenAsync)
{
    public static IReadOnlyList<SharedContender> All { get; } =
    [
        new("one EVALSHA each, token bucket", true, PipelinedSession.OpenAsync),
        Engine(AlgorithmKind.TokenBucket),
        // Keys that Redis has not seen are told to listings on the side, 2,000 a second: after a flush 100,000 keys take 50 s. This one has nothing to tell.
        new("weir, token-bucket, unlisted", false, static client => EngineSession.OpenAsync(client, AlgorithmKind.TokenBucket, isListed: false)),
        Engine(AlgorithmKind.SlidingWindow),
        Engine(AlgorithmKind.FixedWindow),
        Engine(AlgorithmKind.SlidingCounter),
    ];

    private static SharedContender Engine(AlgorithmKind algorithm) =>
        new($"weir, {algorithm.ToName()}", false, client => EngineSession.OpenAsync(client, algorithm, isListed: true));
}

/// <summary>A contender at work.</summary>
internal abstract class SharedSession : IAsyncDisposable
{
    /// <summary>Decides one request of a key. Limits are such that all are allowed.</summary>
    public abstract ValueTask<bool> DecideAsync(int key);

    public abstract ValueTask DisposeAsync();
}

/// <summary>This engine.</summary>
internal sealed class EngineSession : SharedSession
{
    private static readonly byte[][] Labels = [.. Enumerable.Range(0, SharedRace.Keys).Select(static k => CounterLabel.OfKey($"{k}"))];

    private readonly RedisEngine _engine;
    private readonly Rule _rule;
    private readonly bool _isListed;

    private EngineSession(RedisEngine engine, Rule rule, bool isListed) => (_engine, _rule, _isListed) = (engine, rule, isListed);

    public static async Task<SharedSession> OpenAsync(IRespClient client, AlgorithmKind algorithm, bool isListed)
    {
        var engine = new RedisEngine(client, new RedisEngineOptions { DecisionTimeout = TimeSpan.FromSeconds(1) });
        await engine.StartAsync();
        return new EngineSession(engine, Rule.Create(new RuleOptions { Algorithm = algorithm, Permits = 1_000, Window = TimeSpan.FromMinutes(1) }), isListed);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<bool> DecideAsync(int key)
    {
        var id = new CounterId((ulong)key * 0x9E3779B97F4A7C15, (ulong)key * 0xC2B2AE3D27D4EB4F);
        var decision = await _engine.DecideAsync(new Charge(_rule, id, 1, _isListed ? Labels[key] : default));
        return decision.IsAllowed && decision.Source == DecisionSource.Exact ? true : throw new InvalidOperationException($"A decision was {decision}.");
    }

    public override ValueTask DisposeAsync() => _engine.DisposeAsync();
}

/// <summary>One script call per decision over one pipelined connection: a token bucket in a string that expires, by the server's clock.</summary>
internal sealed class PipelinedSession : SharedSession
{
    private const string Script = """
        local now = redis.call('TIME')
        now = now[1] * 1000000 + now[2]
        local full = tonumber(redis.call('GET', KEYS[1]) or 0)
        if full < now then full = now end
        local next = full + ARGV[1] * 1
        if next - now > ARGV[2] * 1 then return {0, full - now} end
        redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000))
        return {1, next - now}
        """;

    private readonly IRespClient _client;
    private readonly byte[] _hash;

    private PipelinedSession(IRespClient client, byte[] hash) => (_client, _hash) = (client, hash);

    public static async Task<SharedSession> OpenAsync(IRespClient client)
    {
        using var reply = await client.SendAsync(RespCommand.Create("SCRIPT", "LOAD", Script), -1);
        return new PipelinedSession(client, Encoding.ASCII.GetBytes(reply.GetString()!));
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<bool> DecideAsync(int key)
    {
        var call = Call.Rent(_hash, key);
        using var reply = await _client.SendAsync(call, -1);
        call.Return();
        var reader = reply.Root();
        reader.Read();
        return reader.GetInt64() == 1 ? true : throw new InvalidOperationException("A decision was refused.");
    }

    public override ValueTask DisposeAsync() => default;

    private sealed class Call : IRespCommand
    {
        private static readonly System.Collections.Concurrent.ConcurrentQueue<Call> Free = new();
        private byte[] _hash = [];
        private int _key;

        public static Call Rent(byte[] hash, int key)
        {
            if (!Free.TryDequeue(out var call))
                call = new Call();
            (call._hash, call._key) = (hash, key);
            return call;
        }

        public void Return() => Free.Enqueue(this);

        public void Write(ref RespCommandWriter writer)
        {
            writer.Begin(6);
            writer.Write("EVALSHA"u8);
            writer.Write(_hash);
            writer.Write(1);
            Span<byte> name = stackalloc byte[20];
            "limit:"u8.CopyTo(name);
            Utf8Formatter.TryFormat(_key, name[6..], out var digits);
            writer.Write(name[..(6 + digits)]);
            writer.Write("60000"u8);
            writer.Write("60000000"u8);
        }
    }
}
