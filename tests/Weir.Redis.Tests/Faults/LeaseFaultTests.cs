using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Faults;

/// <summary>Leases of <c>concurrency</c> that are taken, held for a moment and released at three nodes, while something goes wrong.</summary>
[Collection(nameof(OneByOne))]
public sealed class LeaseFaultTests
{
    private const int Limit = 10;

    // Whoever holds a lease lets go long before it ends.
    private static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(3);

    private static readonly Charge Lease = Counters.Charge(Counters.Rule(Limit, LeaseTime, AlgorithmKind.Concurrency), "leases");

    [Fact]
    public async Task Paused_NeverMoreAreHeldThanMay_AndWhatWasLostEnds()
    {
        await using var server = await Servers.StartAsync();
        await using var holders = await Holders.BeginAsync(Servers.UrlOf(server), Moment);

        for (var i = 0; i < 3; i++)
        {
            server.Pause();
            await holders.AreDegradedAsync();
            server.Resume();
            await holders.MoreAsync(200);
        }

        await holders.EndAsync();
    }

    [Fact]
    public async Task RepliesVanish_NeverMoreAreHeldThanMay_AndWhatWasLostEnds()
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var holders = await Holders.BeginAsync($"redis://127.0.0.1:{proxy.Port}", Moment);

        // Leases are given that nobody learns of, and released by those that do not learn of it.
        for (var i = 0; i < 3; i++)
        {
            proxy.HoldReplies = true;
            await holders.AreDegradedAsync();
            proxy.CutAll();
            proxy.HoldReplies = false;
            await holders.MoreAsync(200);
        }

        await holders.EndAsync();
        Assert.NotEqual(0, holders.Unreleased);
    }

    [Fact]
    public async Task Killed_AndStartedWithItsLog_NeverMoreAreHeldThanMay()
    {
        await using var server = await Servers.StartAsync("--appendonly", "yes", "--appendfsync", "always");
        await using var holders = await Holders.BeginAsync(Servers.UrlOf(server), Moment);

        await server.KillAsync();
        await holders.AreDegradedAsync();
        await server.StartAsync();
        await holders.MoreAsync(200);

        await holders.EndAsync();
    }

    [Fact]
    public async Task Flushed_OneFurtherLimitIsHeldAtMost()
    {
        await using var server = await Servers.StartAsync();
        await using var holders = await Holders.BeginAsync(Servers.UrlOf(server), TimeSpan.FromSeconds(2));

        server.Call("FLUSHALL");
        // Nobody remembers leases but their holders.
        await Eventually.IsTrueAsync(() => holders.Most > Limit, "leases are given again");

        await holders.EndAsync(most: 2 * Limit);
    }

    /// <summary>Callers at three nodes that take a lease, hold it, and give it back, and a count of those that hold one.</summary>
    private sealed class Holders : IAsyncDisposable
    {
        private const int CallersPerNode = 8;

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
                    await Task.Delay(Moment);
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
}
