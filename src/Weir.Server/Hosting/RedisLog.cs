using Microsoft.Extensions.Logging;
using Weir.Redis;
using Weir.Resp;

namespace Weir.Server.Hosting;

/// <summary>
/// Tells of the connection to Redis and of the engine's state: each change once, what goes on from time to time, and no more than a line a second or so
/// when things flap. Thread safe.
/// </summary>
internal sealed class RedisLog(ILogger log, RespOptions server, FailurePolicy policy, TimeProvider time)
{
    private static readonly TimeSpan Reminder = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly Dictionary<RespEndpoint, (RespCause Cause, long SaidAt)> _lost = [];
    private readonly HashSet<RespEndpoint> _known = [];
    private long _reconnects;
    private long _degradedAt;
    private long _saidDegradedAt;
    private int _unsaid;
    private bool _hasSaidDegraded;

    /// <summary>Connections that were made after one was lost.</summary>
    public long Reconnects => Volatile.Read(ref _reconnects);

    /// <summary>Takes note of how things are at the start, which has told why it did not go well.</summary>
    public void Begin(IRespClient client)
    {
        lock (_gate)
        {
            foreach (var state in client.Primaries.Select(static p => p.State))
            {
                if (state is { IsConnected: true, Endpoint: { } endpoint })
                    SayConnectedLocked(endpoint, state.Server);
                else if (state.Reason is { } reason)
                    _lost[state.Endpoint ?? server.Endpoints[0]] = (reason.Failure.Cause, time.GetTimestamp());
            }
            client.StateChanged += OnConnection;
        }
    }

    /// <summary>Takes note of the engine's state.</summary>
    public void OnEngine(EngineStatus status)
    {
        lock (_gate)
        {
            switch (status.Health)
            {
                case EngineHealth.Degraded:
                    SayDegradedLocked(status.Reason);
                    break;
                case EngineHealth.Healthy:
                    SayHealthyLocked();
                    break;
                case EngineHealth.Resync:
                    log.LogDebug("resync: {Reason}", status.Reason);
                    break;
                default:
                    log.LogDebug("the engine is {State}: {Reason}", status.Health, status.Reason);
                    break;
            }
        }
    }

    private void OnConnection(object? sender, RespStateChangedEventArgs e)
    {
        var endpoint = e.State.Endpoint ?? server.Endpoints[0];
        lock (_gate)
        {
            if (e.State.IsConnected)
                SayConnectedLocked(endpoint, e.State.Server);
            else if (e.State.Reason is { Failure.Cause: not RespCause.Disposed } reason)
                SayLostLocked(endpoint, reason);
        }
    }

    private void SayConnectedLocked(RespEndpoint endpoint, RespServerInfo? info)
    {
        _lost.Remove(endpoint);
        if (!_known.Add(endpoint))
            Interlocked.Increment(ref _reconnects);
        log.LogInformation("connected to {Server} at {Endpoint}", info, endpoint);
    }

    private void SayLostLocked(RespEndpoint endpoint, RespFailureException reason)
    {
        var isNews = !_lost.TryGetValue(endpoint, out var last) || last.Cause != reason.Failure.Cause;
        if (!isNews && time.GetElapsedTime(last.SaidAt) < Reminder)
            return;
        _lost[endpoint] = (reason.Failure.Cause, time.GetTimestamp());
        // It will not cure itself.
        var level = RedisMistakes.Is(reason.Failure, server) ? LogLevel.Error : LogLevel.Warning;
        log.Log(level, "no connection to Redis: {Reason}", reason.Message);
    }

    private void SayDegradedLocked(string reason)
    {
        if (_degradedAt == 0)
            _degradedAt = time.GetTimestamp();
        if (_hasSaidDegraded || (_saidDegradedAt != 0 && time.GetElapsedTime(_saidDegradedAt) < Quiet))
        {
            _unsaid += _hasSaidDegraded ? 0 : 1;
            return;
        }
        log.LogWarning("Redis does not decide, failure policies do (default {Policy}): {Reason}{More}",
            policy.ToString().ToLowerInvariant(), reason, _unsaid > 0 ? $" ({_unsaid} more times since the last message)" : "");
        (_hasSaidDegraded, _saidDegradedAt, _unsaid) = (true, time.GetTimestamp(), 0);
    }

    private void SayHealthyLocked()
    {
        if (_hasSaidDegraded)
            log.LogInformation("Redis decides again, after {Seconds:0.0} s", time.GetElapsedTime(_degradedAt).TotalSeconds);
        (_hasSaidDegraded, _degradedAt) = (false, 0);
    }
}
