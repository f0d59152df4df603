using System.Net;
using Microsoft.Extensions.Logging;

namespace Weir.AspNetCore;

/// <content>Which nodes are asked, and until when.</content>
internal sealed partial class NodesBackend
{
    private static readonly TimeSpan LeastProbePatience = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly ITimer _sweeper;
    private readonly TimeSpan _sweepInterval;
    private bool _isArmed;
    private int _hasBegun;
    private Task _probing = Task.CompletedTask;

    /// <summary>Leaves a node out until it says that it is ready.</summary>
    public void Fail(RemoteNode node, string why)
    {
        List<PendingCheck>? lost;
        lock (_gate)
        {
            node.Failures++;
            if (!node.IsUsed || _isDisposed)
                return;
            node.IsUsed = false;
            _used--;
            lost = DrainIfLostLocked();
        }
        node.ProbeNow.Release();
        _log.LogWarning("node {Node} is left out: {Reason}", node.Address, why);
        EndByPolicy(lost);
    }

    /// <summary>Takes note of an answer.</summary>
    public void Succeeded(RemoteNode node)
    {
        lock (_gate)
            node.Failures = 0;
    }

    private void UseAgain(RemoteNode node)
    {
        List<Lane> started;
        lock (_gate)
        {
            if (node.IsUsed || _isDisposed)
                return;
            node.IsUsed = true;
            _used++;
            foreach (var lane in node.Lanes)
            {
                if (!lane.IsRunning && !lane.IsIdle)
                    RestLocked(lane);
            }
            started = DispatchLocked();
        }
        _log.LogInformation("node {Node} is used again", node.Address);
        Run(started);
    }

    private void BeginProbing()
    {
        if (Volatile.Read(ref _hasBegun) == 0 && Interlocked.Exchange(ref _hasBegun, 1) == 0)
            _probing = Task.WhenAll(_nodes.Select(n => Task.Run(() => ProbeAsync(n))));
    }

    private async Task ProbeAsync(RemoteNode node)
    {
        try
        {
            while (true)
            {
                await node.ProbeNow.WaitAsync(node.IsUsed ? _options.ProbeInterval : _options.ProbeInterval / 4, _stop.Token);
                // A node that says it is ready and fails nevertheless is tried more and more seldom.
                if (node.Failures > 1)
                    await Task.Delay(_options.ProbeInterval / 4 * Math.Min(16, 1 << Math.Min(node.Failures - 2, 4)), _stop.Token);
                await ProbeOnceAsync(node);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The client ends.
        }
    }

    private async Task ProbeOnceAsync(RemoteNode node)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        patience.CancelAfter(_options.Timeout > LeastProbePatience ? _options.Timeout : LeastProbePatience);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, node.ReadyUri);
            using var response = await _http.SendAsync(request, patience.Token);
            if (response.StatusCode == HttpStatusCode.OK)
                UseAgain(node);
            else
                Fail(node, $"it is not ready ({(int)response.StatusCode})");
        }
        catch (HttpRequestException e)
        {
            Fail(node, e.Message);
        }
        catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
        {
            // It is slow to say so, which checks would find out by themselves.
        }
    }

    private void ArmLocked()
    {
        if (_isArmed)
            return;
        _isArmed = true;
        _sweeper.Change(_sweepInterval, _sweepInterval);
    }

    // Answers checks whose time is over, and gives up requests that nobody waits for any more.
    private void Sweep()
    {
        var late = new List<PendingCheck>();
        var abandoned = new List<CancellationTokenSource>();
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            foreach (var check in _waiting)
                AddIfLate(check, now, late);
            var isBusy = _waiting.Count > 0;
            foreach (var node in _nodes)
            {
                foreach (var lane in node.Lanes)
                {
                    isBusy |= lane.IsRunning;
                    foreach (var check in lane.Batch)
                        AddIfLate(check, now, late);
                    if (lane.Batch.Count > 0 && lane.Batch.TrueForAll(static c => c.HasEnded))
                        abandoned.Add(lane.Aborting);
                }
            }
            if (!isBusy && !_isDisposed)
            {
                _isArmed = false;
                _sweeper.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }
        foreach (var check in late)
            check.Answer(_fallback.Decide(check));
        foreach (var aborting in abandoned)
            aborting.Cancel();
    }

    private static void AddIfLate(PendingCheck check, long now, List<PendingCheck> late)
    {
        if (!check.HasEnded && check.Deadline <= now && check.TryEnd())
            late.Add(check);
    }
}
