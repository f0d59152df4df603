using Microsoft.Extensions.Logging;
using Weir.Redis;
using Weir.Resp;
using Weir.Server.Configuration;
using Weir.Server.Deciding;
using Weir.Server.Metrics;

namespace Weir.Server.Hosting;

/// <summary>A node that shares its counters with others through Redis or Valkey.</summary>
/// <remarks>
/// A node has to know the shared seed before it may decide: without it, it would name counters as nobody else does, and allow what the others have refused. Until
/// then the engine has not begun, and failure policies answer.
/// </remarks>
internal sealed partial class SharedNodeEngine : NodeEngine, ISharedStateOwner
{
    private const string Setting = Configuration.Setting.Prefix + "REDIS_URL";
    private static readonly TimeSpan ClockInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstDecision = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestWarmUp = TimeSpan.FromSeconds(1);

    // Redis is back for callers when its nodes have found it, and that is promised within two seconds.
    private static readonly TimeSpan SentinelPoll = TimeSpan.FromMilliseconds(250);

    private readonly NodeConfig _config;
    private readonly RespOptions _server;
    private readonly ChargeResolver _resolver;
    private readonly TimeProvider _time;
    private readonly IRespClient _client;
    private readonly RedisEngine _engine;
    private readonly SharedState _shared;
    private readonly CancellationTokenSource _stop = new();
    private readonly ITimer _clockTimer;
    private Task _beginning = Task.CompletedTask;
    private ILogger? _log;
    private RedisLog? _redisLog;
    private int _isDisposed;

    public SharedNodeEngine(NodeConfig config, RespOptions server, ChargeResolver resolver, TimeProvider time)
    {
        (_config, _server, _resolver, _time) = (config, server, resolver, time);
        _client = RespClients.Create(
            server with
            {
                ClientName = $"weir-{config.NodeId}",
                DeadlineResolution = TimeSpan.FromMilliseconds(2),
                MinBackOff = TimeSpan.FromMilliseconds(20),
                MaxBackOff = TimeSpan.FromMilliseconds(250),
                SentinelPoll = SentinelPoll,
            },
            time);
        _engine = new RedisEngine(_client, new RedisEngineOptions { Prefix = config.RedisPrefix, DecisionTimeout = config.DecisionTimeout, StaysInPlace = true }, time);
        _shared = new SharedState(
            _client, new SharedStateOptions { Server = server, Prefix = config.RedisPrefix, NodeId = config.NodeId, Ttl = config.NodeTtl }, this, time);
        Clock = new DecisionClock(time);
        _clockTimer = time.CreateTimer(static clock => ((DecisionClock)clock!).Discipline(), Clock, ClockInterval, ClockInterval);
        Reservations = new SharedReservationBook(new SharedReservations(_shared));
        Overrides = new SharedOverrideStore(_shared);
        Metrics = new SharedEngineMetrics(
            _engine.Counters, () => _engine.Status.Health, () => _client.State.IsConnected, () => _redisLog?.Reconnects ?? 0, () => _engine.Nodes);
    }

    public override string Name => "redis";

    public override ILimiter Limiter => _engine;

    public override string WhyDegraded => "Redis could not be asked";

    public override DecisionClock Clock { get; }

    public override IReservationBook Reservations { get; }

    public override IOverrideStore Overrides { get; }

    public override SharedEngineMetrics Metrics { get; }

    public override async Task StartAsync(ILogger log, CancellationToken cancellation)
    {
        _log = log;
        _redisLog = new RedisLog(log, _server, _config.FailurePolicy, _time);
        _engine.StatusChanged = OnStatusChanged;
        var isThere = await TryMeetAsync(log, cancellation);
        _redisLog.Begin(_client);
        _shared.Start();
        _beginning = BeginAsync(isThere);
        if (isThere)
            await _beginning.WaitAsync(FirstDecision, _time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;
        await _stop.CancelAsync();
        await _shared.DisposeAsync();
        await _beginning;
        await _engine.DisposeAsync();
        await _client.DisposeAsync();
        await _clockTimer.DisposeAsync();
        _stop.Dispose();
    }

    // False when Redis is away, and may come.
    private async Task<bool> TryMeetAsync(ILogger log, CancellationToken cancellation)
    {
        Exception failure;
        try
        {
            await _shared.MeetAsync(cancellation);
            return _shared.Trouble is { } trouble ? throw new NodeStartException($"{Setting}: {trouble}") : true;
        }
        catch (RespFailureException e)
        {
            failure = RedisMistakes.Is(e.Failure, _server) ? throw new NodeStartException($"{Setting}: {e.Message}", e) : e;
        }
        catch (SharedStateException e)
        {
            failure = e.IsMistake ? throw new NodeStartException($"{Setting}: {e.Message}", e) : e;
        }
        log.LogWarning("starting without Redis, and not ready until it comes: {Reason}", failure.Message);
        return false;
    }

    private async Task BeginAsync(bool isThere)
    {
        try
        {
            await _shared.Met;
            // Requests whose counters were named under a seed of this node's own are answered by then.
            if (!isThere)
                await Task.Delay(_config.DecisionTimeout, _time, _stop.Token);
            await _engine.StartAsync(_stop.Token);
            if (isThere)
                await WarmUpAsync();
        }
        catch (Exception e) when (e is OperationCanceledException or RespFailureException)
        {
            // The node stops; or the connection is away again, and the engine goes on trying.
        }
    }

    // The code that decides is compiled when it first runs, which takes longer than a caller may wait. So the node looks at a counter that nobody has, until
    // answers come in time; nobody calls yet.
    private async Task WarmUpAsync()
    {
        const int atOnce = 8;
        const int enough = 16;
        var charge = _resolver.ForDefault(CounterLabel.OfKey(""), 0);
        var since = _time.GetTimestamp();
        for (var inTime = 0; inTime < enough && _time.GetElapsedTime(since) < LongestWarmUp;)
        {
            var decisions = await Task.WhenAll(Enumerable.Range(0, atOnce).Select(_ => _engine.DecideAsync(charge).AsTask()));
            inTime = decisions.All(static d => d.Source == DecisionSource.Exact) ? inTime + 1 : 0;
            if (inTime == 0)
                await Task.Delay(_config.DecisionTimeout, _time, _stop.Token);
        }
        Metrics.ForgetDegraded();
    }
}
