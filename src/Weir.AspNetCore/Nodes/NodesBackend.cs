using Microsoft.Extensions.Logging;

namespace Weir.AspNetCore;

/// <summary>
/// Asks nodes. Checks go out over a few lanes per node; while all are busy, checks gather, and go together when one is free. A node that fails is left out
/// until it says that it is ready.
/// </summary>
/// <remarks>
/// The gate guards who waits, which lanes run and which nodes are used. Whoever ends a check (<see cref="PendingCheck.TryEnd"/>) answers it: the lane with the
/// node's answer, or, when its deadline has passed, the timer with that of the failure policy. A check that was sent is never sent again, unless it provably
/// did not reach the node or the node said that it charged nothing.
/// </remarks>
internal sealed partial class NodesBackend : Backend
{
    // A node takes bodies of 1 MB.
    private const int MaxBatchBytes = 512 * 1024;

    private readonly WeirNodesOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Fallback _fallback;
    private readonly HttpMessageInvoker _http;
    private readonly RemoteNode[] _nodes;
    private readonly Lock _gate = new();
    private readonly Queue<PendingCheck> _waiting = new();
    private readonly Queue<Lane> _idle = new();
    private readonly long _timeoutTicks;
    private int _used;
    private bool _isDisposed;

    public NodesBackend(WeirNodesOptions options, TimeProvider time, ILogger log)
    {
        (_options, _time, _log) = (options, time, log);
        _fallback = new Fallback(options.Instances, time);
        _http = new HttpMessageInvoker(options.Handler?.Invoke() ?? DefaultHandler(options));
        _timeoutTicks = (long)(options.Timeout.TotalSeconds * time.TimestampFrequency);
        _sweepInterval = TimeSpan.FromTicks(Math.Clamp(options.Timeout.Ticks / 8, 5 * TimeSpan.TicksPerMillisecond, 50 * TimeSpan.TicksPerMillisecond));
        _sweeper = time.CreateTimer(static own => ((NodesBackend)own!).Sweep(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _nodes = [.. options.Addresses.Select(static a => new RemoteNode(new Uri(a)))];
        _used = _nodes.Length;
        foreach (var node in _nodes)
            node.Lanes = [.. Enumerable.Range(0, options.ConnectionsPerNode).Select(_ => new Lane(this, node, _http, options.MaxBatch))];
        // In turns, so that nodes are.
        for (var i = 0; i < options.ConnectionsPerNode; i++)
        {
            foreach (var node in _nodes)
                RestLocked(node.Lanes[i]);
        }
    }

    public override Task StartAsync(CancellationToken cancellation)
    {
        BeginProbing();
        return Task.CompletedTask;
    }

    public override ValueTask<LimitResult> CheckAsync(PendingCheck check)
    {
        BeginProbing();
        check.Deadline = _time.GetTimestamp() + _timeoutTicks;
        var answer = check.Task;
        check.Hold();
        Lane? lane;
        bool isTaken;
        lock (_gate)
        {
            lane = TakeIdleLocked();
            isTaken = lane is not null || (_used > 0 && _waiting.Count < _options.MaxWaiting && !_isDisposed);
            if (lane is not null)
                StartLocked(lane, check);
            else if (isTaken)
                _waiting.Enqueue(check);
            if (isTaken)
                ArmLocked();
        }
        if (!isTaken)
            return new(DecideAlone(check));
        if (lane is not null)
            _ = lane.RunAsync();
        return answer;
    }

    /// <summary>Lets go of a lane's batch and gives it the next.</summary>
    /// <returns>False when it has nothing to do.</returns>
    public bool Continue(Lane lane)
    {
        lock (_gate)
        {
            foreach (var check in lane.Batch)
                check.Release();
            lane.Batch.Clear();
            if (lane.Node.IsUsed && !_isDisposed)
            {
                FillLocked(lane);
                if (lane.Batch.Count > 0)
                    return true;
                RestLocked(lane);
            }
            lane.IsRunning = false;
            return false;
        }
    }

    /// <summary>Gives the checks of a lane that nobody has answered back to those that wait: they reached no node, or were not charged.</summary>
    public void PutBack(Lane lane)
    {
        List<Lane> started;
        List<PendingCheck>? lost;
        lock (_gate)
        {
            foreach (var check in lane.Batch)
            {
                if (check.HasEnded)
                    check.Release();
                else
                    _waiting.Enqueue(check);
            }
            lane.Batch.Clear();
            lost = DrainIfLostLocked();
            started = DispatchLocked();
        }
        Run(started);
        EndByPolicy(lost);
    }

    /// <summary>Answers the checks of a lane, so far as nobody has.</summary>
    public void EndByPolicy(Lane lane)
    {
        foreach (var check in lane.Batch)
        {
            if (check.TryEnd())
                check.Answer(_fallback.Decide(check));
        }
    }

    /// <summary>Ends a check that the node did not understand.</summary>
    public void Reject(PendingCheck check, string detail)
    {
        if (!check.TryEnd())
            return;
        if (check.Asked is not null)
        {
            check.Fail(new WeirException(detail));
            return;
        }
        // A request of the application's users, who can do nothing about it.
        _log.LogError("a node does not understand a check, and the failure policy answers: {Reason}", detail);
        check.Answer(_fallback.Decide(check));
    }

    public override async ValueTask DisposeAsync()
    {
        List<PendingCheck>? lost;
        lock (_gate)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            lost = DrainIfLostLocked();
        }
        await _stop.CancelAsync();
        await _probing;
        EndByPolicy(lost);
        foreach (var lane in _nodes.SelectMany(static n => n.Lanes))
            await lane.Aborting.CancelAsync();
        await _sweeper.DisposeAsync();
        _http.Dispose();
        _fallback.Dispose();
        _stop.Dispose();
    }

    private static SocketsHttpHandler DefaultHandler(WeirNodesOptions options) => new()
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        ConnectTimeout = options.Timeout,
        // Names may come to mean other addresses.
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
        // A batch belongs to many requests, and so to no trace.
        ActivityHeadersPropagator = null,
    };

    private LimitResult DecideAlone(PendingCheck check)
    {
        var result = _fallback.Decide(check);
        check.Release();
        check.Release();
        return result;
    }

    private void EndByPolicy(List<PendingCheck>? checks)
    {
        foreach (var check in checks ?? [])
        {
            if (check.TryEnd())
                check.Answer(_fallback.Decide(check));
            check.Release();
        }
    }

    private static void Run(List<Lane> lanes)
    {
        foreach (var lane in lanes)
            _ = lane.RunAsync();
    }

    private void RestLocked(Lane lane)
    {
        lane.IsIdle = true;
        _idle.Enqueue(lane);
    }

    private Lane? TakeIdleLocked()
    {
        while (!_isDisposed && _idle.TryDequeue(out var lane))
        {
            lane.IsIdle = false;
            if (lane.Node.IsUsed)
                return lane;
        }
        return null;
    }

    private static void StartLocked(Lane lane, PendingCheck check)
    {
        lane.IsRunning = true;
        lane.Batch.Add(check);
    }

    private void FillLocked(Lane lane)
    {
        var bytes = 0;
        while (lane.Batch.Count < _options.MaxBatch && _waiting.TryPeek(out var check))
        {
            if (check.HasEnded)
            {
                _waiting.Dequeue().Release();
                continue;
            }
            bytes += CheckWriter.SizeOf(check);
            if (bytes > MaxBatchBytes && lane.Batch.Count > 0)
                return;
            lane.Batch.Add(_waiting.Dequeue());
        }
    }

    // Gives work to lanes that rest. They are to be run outside the gate.
    private List<Lane> DispatchLocked()
    {
        var started = new List<Lane>();
        while (_waiting.Count > 0 && TakeIdleLocked() is { } lane)
        {
            FillLocked(lane);
            if (lane.Batch.Count == 0)
            {
                RestLocked(lane);
                break;
            }
            lane.IsRunning = true;
            started.Add(lane);
        }
        return started;
    }

    // Those that wait, when there is no node left to wait for.
    private List<PendingCheck>? DrainIfLostLocked()
    {
        if ((_used > 0 && !_isDisposed) || _waiting.Count == 0)
            return null;
        var lost = _waiting.ToList();
        _waiting.Clear();
        return lost;
    }
}
