using Weir.Redis;
using Weir.Resp;
using Weir.TestKit.Redis;

namespace Weir.TestKit;

/// <summary>
/// The shared engine on a real server, whose script is told the instant of each decision. All engines of a test process use one server, each under keys of its own.
/// </summary>
public sealed class RedisTestEngine : TestEngine
{
    private static readonly Lazy<Task<(RedisServer Server, IRespClient Client)>> Shared = new(ConnectAsync);
    private static int _engines;

    private readonly RedisEngine _engine;
    private long _now;

    public RedisTestEngine()
    {
        var options = new RedisEngineOptions { Prefix = $"t{Interlocked.Increment(ref _engines)}", DecisionTimeout = TimeSpan.FromSeconds(10), RememberedCounters = 1_024 };
        _now = new ManualTimeProvider().GetUtcNow().ToUnixTimeMilliseconds() * 1_000;
        _engine = new RedisEngine(Wait(Shared.Value).Client, options);
        foreach (var shard in _engine.Shards)
        {
            shard.Clock.Exact = () => Volatile.Read(ref _now);
            shard.Memory.Refuses = false;
        }
        Wait(_engine.StartAsync());
    }

    /// <summary>Why there is no server; null when there is.</summary>
    public static string? Unavailable => RedisServer.Unavailable;

    public override ILimiter Limiter => _engine;

    public override long NowMicros => Volatile.Read(ref _now);

    public override bool ForgetsLongerLeases => true;

    /// <summary>False by default: a counter that was given back to the last permit forgets when it was used, which a model does not.</summary>
    public override bool DecidesAtAnyInstant => AtAnyInstant;

    /// <summary>See <see cref="DecidesAtAnyInstant"/>.</summary>
    public bool AtAnyInstant { get; init; }

    /// <summary>What was decided in ten seconds stays there: the script notes their beginning, so that its time never falls behind it.</summary>
    public override long EarliestMicros => NowMicros - (NowMicros % StorageClasses.MicrosOf(0));

    public override Decision DecideAt(in Charge charge, long nowMicros)
    {
        var now = NowMicros;
        AdvanceTo(nowMicros);
        var decision = Wait(_engine.DecideAsync(charge).AsTask());
        AdvanceTo(now);
        return decision;
    }

    public override void AdvanceTo(long micros) => Volatile.Write(ref _now, micros);

    public override void SuspendUntil(long micros) => AdvanceTo(micros);

    public override void Dispose() => Wait(_engine.DisposeAsync().AsTask());

    private static async Task<(RedisServer Server, IRespClient Client)> ConnectAsync()
    {
        var server = await RedisServer.StartAsync();
        var client = RespClients.Create(RespOptions.Parse($"redis://127.0.0.1:{server.Port}"));
        await client.ConnectAsync();
        return (server, client);
    }

    private static void Wait(Task task) => task.GetAwaiter().GetResult();

    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();
}
