using Weir.Redis.Tests.Fleets;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Faults;

/// <summary>Callers at three nodes that take a lease, hold it, and give it back, and a count of those that hold one.</summary>
internal sealed class Holders : IAsyncDisposable
{
    /// <summary>How many may be held at the same time.</summary>
    public const int Limit = 10;

    private const int CallersPerNode = 8;

    // Whoever holds a lease lets go long before it ends.
    private static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan PauseWhenRefused = TimeSpan.FromMilliseconds(3);
    private static readonly Charge Lease = Counters.Charge(Counters.Rule(Limit, LeaseTime, AlgorithmKind.Concurrency), "leases");

    private readonly Fleet _fleet;
    private readonly Fleet _auditor;
    private readonly TimeSpan _hold;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task[] _callers;
    private int _held;
    private int _given;
    private int _unreleased;

    private Holders(Fleet fleet, Fleet auditor, TimeSpan hold)
    {
        (_fleet, _auditor, _hold) = (fleet, auditor, hold);
        _callers = [.. Enumerable.Range(0, 3 * CallersPerNode).Select(c => Task.Run(() => CallAsync(fleet[c % 3])))];
    }

    /// <summary>How many were held at the same time, at most.</summary>
    public int Most { get; private set; }

    /// <summary>Leases that Redis may not have heard the end of.</summary>
    public int Unreleased => Volatile.Read(ref _unreleased);

    public static async Task<Holders> BeginAsync(string url, TimeSpan hold)
    {
        var auditor = await Fleet.StartAsync(url, RedisNode.Patient, 1);
        var holders = new Holders(await Fleet.StartAsync(url, RedisNode.AsInProduction), auditor, hold);
        await Eventually.IsTrueAsync(() => holders.Most >= Limit, "all leases are held");
        return holders;
    }

    public Task AreDegradedAsync()
    {
        var before = _fleet.Nodes.Select(static n => n.Degraded).ToArray();
        return Eventually.IsTrueAsync(() => _fleet.Nodes.Zip(before).All(static n => n.First.Degraded > n.Second + CallersPerNode), "all nodes are degraded");
    }

    /// <summary>Waits until more leases have been given.</summary>
    public Task MoreAsync(int leases)
    {
        var wanted = Volatile.Read(ref _given) + leases;
        return Eventually.IsTrueAsync(() => Volatile.Read(ref _given) >= wanted || Array.Exists(_callers, static c => c.IsFaulted), $"{leases} more leases are given");
    }

    /// <summary>Stops the callers and judges.</summary>
    public async Task EndAsync(int most = Limit)
    {
        await _fleet.IsHealthyAsync();
        await _stop.CancelAsync();
        await Task.WhenAll(_callers).WaitAsync(TimeSpan.FromSeconds(20));
        TestContext.Current.TestOutputHelper?.WriteLine($"{_given} leases, {Most} at once, {_unreleased} not released for sure");

        Assert.True(Most <= most, $"promise broken: {Most} leases held at once where {most} may be");
        await Eventually.IsTrueAsync(async () => await Counters.UsedAsync(_auditor[0], Lease) == 0, "all leases have ended", LeaseTime + TimeSpan.FromSeconds(2));
        await Keys.AllEndAsync(_auditor[0].Client);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_callers).WaitAsync(TimeSpan.FromSeconds(20)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _fleet.DisposeAsync();
        await _auditor.DisposeAsync();
        _stop.Dispose();
    }

    private async Task CallAsync(RedisNode node)
    {
        while (!_stop.IsCancellationRequested)
        {
            var decision = await node.Engine.DecideAsync(Lease);
            if (decision.IsAllowed)
                await HoldAsync(node, decision.Stamp);
            else
                await Task.Delay(PauseWhenRefused);
        }
    }

    private async Task HoldAsync(RedisNode node, long stamp)
    {
        Count(1);
        Interlocked.Increment(ref _given);
        await Task.Delay(_hold, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // Another may have it as soon as Redis hears of it, and that is before this caller does.
        Count(-1);
        try
        {
            await node.Engine.SettleAsync(Lease, stamp, 0);
        }
        catch (EngineUnavailableException)
        {
            Interlocked.Increment(ref _unreleased);
        }
    }

    private void Count(int change)
    {
        lock (_gate)
        {
            _held += change;
            Most = Math.Max(Most, _held);
        }
    }
}
