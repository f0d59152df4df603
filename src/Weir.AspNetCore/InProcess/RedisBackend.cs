using Microsoft.Extensions.Logging;
using Weir.Redis;
using Weir.Resp;
using Weir.Server.Hosting;

namespace Weir.AspNetCore;

/// <summary>Decides by counters in Redis or Valkey, together with other instances and with nodes.</summary>
/// <remarks>
/// Without the shared seed it would name counters as nobody else does, and allow what others have refused. So until it has met Redis, the engine has not begun,
/// and failure policies answer.
/// </remarks>
internal sealed class RedisBackend : EngineBackend, ISharedStateOwner
{
    private static readonly TimeSpan FirstDecision = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestWarmUp = TimeSpan.FromSeconds(1);

    private readonly WeirRedisOptions _options;
    private readonly RespOptions _server;
    private readonly IRespClient _redis;
    private readonly RedisEngine _engine;
    private readonly SharedState _shared;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _starting = new();
    private Task? _started;
    private Task _beginning = Task.CompletedTask;
    private int _isDisposed;

    private RedisBackend(WeirRedisOptions options, RespOptions server, IRespClient redis, RedisEngine engine, TimeProvider time, ILogger log)
        : base(engine, new CounterHasher())
    {
        (_options, _server, _redis, _engine, _time, _log) = (options, server, redis, engine, time, log);
        _engine.Nodes = options.Instances;
        _engine.StatusChanged = OnStatusChanged;
        // It never tells of itself: an application is no node that could be asked.
        var state = new SharedStateOptions { Server = server, Prefix = options.Prefix, NodeId = $"app-{Environment.MachineName}-{Environment.ProcessId}" };
        _shared = new SharedState(redis, state, this, time);
    }

    public static RedisBackend Create(WeirRedisOptions options, TimeProvider time, ILogger log)
    {
        var server = RespOptions.Parse(options.Url) with
        {
            ClientName = "weir-app",
            DeadlineResolution = TimeSpan.FromMilliseconds(2),
            MinBackOff = TimeSpan.FromMilliseconds(20),
            MaxBackOff = TimeSpan.FromMilliseconds(250),
        };
        var redis = RespClients.Create(server, time);
        var engine = new RedisEngine(redis, new RedisEngineOptions { Prefix = options.Prefix, DecisionTimeout = options.DecisionTimeout }, time);
        return new RedisBackend(options, server, redis, engine, time, log);
    }

    public override Task StartAsync(CancellationToken cancellation)
    {
        lock (_starting)
            return (_started ??= BeginAsync(cancellation)).WaitAsync(cancellation);
    }

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            await base.DisposeAsync();
            return;
        }
        await _stop.CancelAsync();
        await _shared.DisposeAsync();
        await _beginning;
        await _engine.DisposeAsync();
        await _redis.DisposeAsync();
        await base.DisposeAsync();
        _stop.Dispose();
    }

    protected override async ValueTask<long?> TrySettleAsync(Charge charge, long stamp, int actual)
    {
        try
        {
            return await _engine.SettleAsync(charge, stamp, actual);
        }
        catch (EngineUnavailableException)
        {
            return null;
        }
    }

    protected override async ValueTask<bool> TryRenewAsync(Charge charge, long stamp)
    {
        try
        {
            return await _engine.RenewAsync(charge, stamp);
        }
        catch (EngineUnavailableException)
        {
            return false;
        }
    }

    NodeCard? ISharedStateOwner.Describe(OverridesVersion overrides) => null;

    void ISharedStateOwner.UseSeed(ReadOnlySpan<byte> seed) => UseHasher(new CounterHasher(seed));

    void ISharedStateOwner.CountNodes(int nodes) => _engine.Nodes = _options.Instances + _shared.Roll.Nodes.Count;

    void ISharedStateOwner.Say(SharedSeverity severity, string message) =>
        _log.Log(severity switch { SharedSeverity.Information => LogLevel.Information, SharedSeverity.Warning => LogLevel.Warning, _ => LogLevel.Error }, "{Message}", message);

    // Limits of single keys are the nodes' business: they stand in place of their default rule, which applications do not use.
    void IOverrideTable.Replace(IReadOnlyDictionary<string, OverrideLimit> all)
    {
    }

    void IOverrideTable.Set(string key, OverrideLimit? limit)
    {
    }

    private async Task BeginAsync(CancellationToken cancellation)
    {
        var isThere = await TryMeetAsync(cancellation);
        _shared.Start();
        _beginning = FollowAsync(isThere);
        if (isThere)
            await _beginning.WaitAsync(FirstDecision, _time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // False when Redis is away, and may come.
    private async Task<bool> TryMeetAsync(CancellationToken cancellation)
    {
        Exception failure;
        try
        {
            await _shared.MeetAsync(cancellation);
            return _shared.Trouble is { } trouble ? throw new WeirException(trouble) : true;
        }
        catch (RespFailureException e)
        {
            failure = RedisMistakes.Is(e.Failure, _server) ? throw new WeirException(e.Message, e) : e;
        }
        catch (SharedStateException e)
        {
            failure = e.IsMistake ? throw new WeirException(e.Message, e) : e;
        }
        _log.LogWarning("starting without Redis; failure policies answer until it comes: {Reason}", failure.Message);
        return false;
    }

    private async Task FollowAsync(bool isThere)
    {
        try
        {
            await _shared.Met;
            // Requests whose counters were named under a seed of this process' own are answered by then.
            if (!isThere)
                await Task.Delay(_options.DecisionTimeout, _time, _stop.Token);
            await _engine.StartAsync(_stop.Token);
            if (isThere)
                await WarmUpAsync();
        }
        catch (Exception e) when (e is OperationCanceledException or RespFailureException)
        {
            // The application stops; or the connection is away again, and the engine goes on trying.
        }
    }

    // The code that decides is compiled when it first runs, which takes longer than a request may wait. So it looks at a counter that nobody has.
    private async Task WarmUpAsync()
    {
        const int enough = 16;
        var limit = Limit.Create("weir-warm-up", 1, TimeSpan.FromSeconds(1));
        var since = _time.GetTimestamp();
        for (var inTime = 0; inTime < enough && _time.GetElapsedTime(since) < LongestWarmUp;)
        {
            var checks = Enumerable.Range(0, 8).Select(_ => CheckAsync(PendingCheck.Of([new LimitCharge(limit, "", 0)])).AsTask());
            inTime = (await Task.WhenAll(checks)).All(static r => r.Source == DecisionSource.Exact) ? inTime + 1 : 0;
            if (inTime == 0)
                await Task.Delay(_options.DecisionTimeout, _time, _stop.Token);
        }
    }

    private void OnStatusChanged(EngineStatus status)
    {
        if (status.Health == EngineHealth.Degraded)
            _log.LogWarning("Redis does not decide, failure policies do: {Reason}", status.Reason);
        else if (status.Health == EngineHealth.Healthy)
            _log.LogInformation("Redis decides");
    }
}
