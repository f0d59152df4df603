using Weir.EndToEnd.Tests.Fleets;
using Weir.TestKit;

namespace Weir.EndToEnd.Tests.Faults;

/// <summary>
/// Three node processes under load while something goes wrong with Redis, and the judgement afterwards: every caller was answered in time, what was admitted fits the
/// limit, nothing was charged twice, and every degraded answer is marked and counted.
/// </summary>
/// <remarks>Each caller asks in turn for a permit of a counter that is tight and of one that is wide. Timeouts are those of production.</remarks>
internal sealed class Ordeal : IAsyncDisposable
{
    /// <summary>Who asks one node.</summary>
    public const int CallersPerNode = 16;

    /// <summary>How long they rest between requests.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(4);

    private const int Tight = 500;
    private const int Wide = 1_000_000;

    private static int _ordeals;

    private readonly Fleet _fleet;
    private readonly FleetNode[] _nodes;
    private readonly string _name = $"{Interlocked.Increment(ref _ordeals)}";
    private readonly Tally[] _tight;
    private readonly Tally[] _wide;
    private readonly double[] _degradedBefore;
    private readonly Lateness _lateness = Lateness.Watch(TimeSpan.FromMilliseconds(15));
    private readonly Load _load;
    private readonly Load _control;
    private long _mendedAt;

    private Ordeal(Fleet fleet, double[] degradedBefore)
    {
        (_fleet, _nodes, _degradedBefore) = (fleet, fleet.Routed, degradedBefore);
        _tight = [.. _nodes.Select(_ => Tally.OfKey($"tight-{_name}"))];
        _wide = [.. _nodes.Select(_ => Tally.OfKey($"wide-{_name}"))];
        var undecided = Tally.OfPath("/rate-limit/key?cost=none");
        _load = Load.Start(CallersPerNode * _nodes.Length, (caller, n) => Next(caller % _nodes.Length, n), Pause);
        // What the machine, the processes and HTTP take for themselves: calls that have nothing to do with Redis.
        _control = Load.Start(4 * _nodes.Length, (caller, _) => (_nodes[caller % _nodes.Length], undecided), Pause);
    }

    /// <summary>The rules that the nodes of an ordeal need.</summary>
    public static string Rules { get; } = $$"""
        domain: default
        descriptors:
          - { key: key, value: "tight-*", rate_limit: { name: tight, limit: {{Tight}}, window: 300d } }
          - { key: key, value: "wide-*", rate_limit: { name: wide, algorithm: fixed-window, limit: {{Wide}}, window: 300d } }
        """;

    /// <summary>Lets nodes work for a while: what just started compiles while it decides, and faults are not judged by that.</summary>
    public static async Task WarmAsync(Fleet fleet)
    {
        var tally = Tally.OfKey("wide-before");
        await using var load = Load.Start(CallersPerNode * 3, (caller, _) => (fleet[caller % 3], tally), Pause);
        await load.MoreAsync(15_000);
    }

    public static async Task<Ordeal> BeginAsync(Fleet fleet)
    {
        var ordeal = new Ordeal(fleet, await Task.WhenAll(fleet.Routed.Select(static n => n.MetricAsync("ratelimiter_degraded_decisions_total"))));
        // Part of the tight limit is left for what comes.
        await ordeal._load.UntilAsync(() => Array.TrueForAll(ordeal._wide, static t => t.Allowed > 20), "Redis decides at every node");
        return ordeal;
    }

    public Task MoreAsync(int trips) => _load.MoreAsync(trips);

    /// <summary>Something breaks. Waits until it shows at every node.</summary>
    public async Task BreaksAsync(Func<Task> fault)
    {
        var before = _wide.Select(static t => t.Degraded).ToArray();
        await fault();
        await _load.UntilAsync(() => _wide.Zip(before).All(static t => t.First.Degraded >= t.Second + CallersPerNode), "all nodes are degraded");
    }

    /// <summary>It is mended. Waits until Redis decides again at every node.</summary>
    public async Task IsMendedAsync(Func<Task> cure)
    {
        await cure();
        _mendedAt = TimeProvider.System.GetTimestamp();
        var before = _wide.Select(static t => t.Allowed).ToArray();
        await _load.UntilAsync(() => _wide.Zip(before).All(static t => t.First.Allowed >= t.Second + CallersPerNode), "Redis decides again at every node");
    }

    /// <summary>Waits until the tight limit is spent, and judges.</summary>
    public async Task<Verdict> EndAsync()
    {
        await _load.UntilAsync(() => _tight.Sum(static t => t.Refused) > 0, "the tight limit is spent");
        await _load.MoreAsync(500);
        var trips = await _load.StopAsync();
        var verdict = new Verdict(trips, await _control.StopAsync(), await _lateness.StopAsync(), _mendedAt, t => Array.IndexOf(_wide, t) >= 0);
        TestContext.Current.TestOutputHelper?.WriteLine(verdict.ToString());

        Assert.All(trips, static t => Assert.True(t.Fate is Fate.Allowed or Fate.Refused or Fate.DegradedRefused, $"{t.Fate} at {t.Node}"));
        for (var i = 0; i < _nodes.Length; i++)
        {
            Assert.Equal(
                _tight[i].Degraded + _wide[i].Degraded,
                await _nodes[i].MetricAsync("ratelimiter_degraded_decisions_total") - _degradedBefore[i]);
        }
        verdict.AssertInTime();
        await AssertChargedOnceAsync(_tight, Tight);
        Assert.Equal(0, await LeftAsync(_tight[0]));
        await AssertChargedOnceAsync(_wide, Wide);
        return verdict;
    }

    public async ValueTask DisposeAsync()
    {
        await _load.DisposeAsync();
        await _control.DisposeAsync();
    }

    private (FleetNode Node, Tally Tally) Next(int node, int n) => (_nodes[node], n % 2 == 0 ? _tight[node] : _wide[node]);

    private async Task AssertChargedOnceAsync(Tally[] tallies, long limit)
    {
        var (allowed, uncertain) = (tallies.Sum(static t => t.Allowed), tallies.Sum(static t => t.Degraded));
        var used = limit - await LeftAsync(tallies[0]);
        Assert.NotEqual(0, allowed);
        Assert.True(allowed <= limit, $"promise broken: {allowed} admitted of {tallies[0].Key}, where {limit} are allowed");
        // A request that was answered by policy because its answer was late may have been charged, once.
        Assert.True(used >= allowed && used <= allowed + uncertain, $"promise broken: {used} charged to {tallies[0].Key} for {allowed} admitted and {uncertain} uncertain");
    }

    // A busy machine may be late for a look, too.
    private async Task<long> LeftAsync(Tally tally)
    {
        var left = 0L;
        await TestKit.Redis.Eventually.IsTrueAsync(
            async () =>
            {
                left = await _fleet[0].RemainingAsync(tally.Key);
                return true;
            },
            "Redis tells what is left",
            Fleet.Patience);
        return left;
    }
}
