using Weir.Redis.Tests.Fleets;
using Weir.TestKit;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Faults;

/// <summary>
/// Nodes under load while something goes wrong, and the judgement afterwards: every caller was answered in time and once, what was admitted fits the limit, nothing
/// was charged twice, and degraded decisions are marked and counted.
/// </summary>
/// <remarks>Each caller asks in turn for a permit of a counter that is tight, of one that is wide, and of one that nobody else asks for.</remarks>
internal sealed class Ordeal : IAsyncDisposable
{
    public const int Tight = 500;
    private const int Wide = 1_000_000;
    private const int CallersPerNode = 16;
    private const double DeadlineMilliseconds = 20;

    // Waiting for a node's recovery is itself done in steps, on the same busy machine.
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(4);

    private static int _ordeals;

    private readonly Fleet _fleet;
    private readonly Fleet _auditor;
    private readonly Lateness _lateness = Lateness.Watch(RedisNode.AsInProduction);
    private readonly Load _load;
    private readonly Charge _tight;
    private readonly Charge _wide;
    private readonly Rule _single;
    private readonly FailurePolicy _policy;

    private Ordeal(Fleet fleet, Fleet auditor, FailurePolicy policy)
    {
        (_fleet, _auditor, _policy) = (fleet, auditor, policy);
        _tight = Counters.Charge(Counters.Rule(Tight, Counters.Long, AlgorithmKind.SlidingWindow, policy), "tight");
        _wide = Counters.Charge(Counters.Rule(Wide, Counters.Long, AlgorithmKind.FixedWindow, policy), "wide");
        _single = Counters.Rule(10, Counters.Long, AlgorithmKind.TokenBucket, policy);
        var nodes = fleet.Nodes;
        _load = Load.Start(CallersPerNode * nodes.Count, (caller, n) => (nodes[caller % nodes.Count], Next(caller, n)), Pause);
    }

    public Fleet Fleet => _fleet;

    /// <summary>The Cluster slot in which the tight counter is.</summary>
    public int TightSlot => _fleet[0].Engine.Shards[(int)(_tight.Id.High % (ulong)_fleet[0].Engine.Shards.Count)].Slot;

    public static async Task<Ordeal> BeginAsync(string url, FailurePolicy policy = FailurePolicy.Closed)
    {
        var prefix = $"ordeal{Interlocked.Increment(ref _ordeals)}";
        var auditor = await Fleet.StartAsync(url, RedisNode.Patient, 1, prefix);
        var ordeal = new Ordeal(await Fleet.StartAsync(url, RedisNode.AsInProduction, prefix: prefix), auditor, policy);
        // Part of the tight limit is left for what comes.
        await ordeal._load.MoreAsync(600);
        return ordeal;
    }

    /// <summary>Waits for more answers, whatever they are.</summary>
    public Task MoreAsync(int answers) => _load.MoreAsync(answers);

    /// <summary>Waits until every node answers by failure policies.</summary>
    public Task IsDegradedAsync() => Eventually.IsTrueAsync(
        () => _fleet.Nodes.All(static n => n.Engine.Status.Health is not EngineHealth.Healthy && n.Degraded > 0), "all nodes are degraded");

    /// <summary>Everything is well again: judges what happened.</summary>
    /// <param name="losesData">
    /// Whether the server lost data. Nodes repair what they remember; of the counters that were used once, some have had to make room for others.
    /// </param>
    /// <param name="losesPayments">Whether what nodes pay afterwards may get lost on its way: it is not paid twice.</param>
    public async Task<Verdict> EndAsync(bool losesData = false, bool losesPayments = false)
    {
        var since = TimeProvider.System.GetTimestamp();
        await _fleet.IsHealthyAsync();
        var recovery = TimeProvider.System.GetElapsedTime(since);
        await _auditor.IsHealthyAsync();
        await _load.MoreAsync(1_500);
        var answers = await _load.StopAsync();
        var verdict = new Verdict(answers, recovery, await _lateness.StopAsync());
        TestContext.Current.TestOutputHelper?.WriteLine(verdict.ToString());

        Assert.Equal(answers.Count(static a => a.IsDegraded), _fleet.Nodes.Sum(static n => n.Degraded));
        Assert.InRange(recovery, TimeSpan.Zero, Recovery);
        AssertInTime(verdict);
        if (_policy == FailurePolicy.Local)
            await AssertPaidAsync(answers, losesPayments);
        await AssertChargedOnceAsync(answers, losesData);
        await Keys.AllEndAsync(_auditor[0].Client);
        return verdict;
    }

    public async ValueTask DisposeAsync()
    {
        await _fleet.DisposeAsync();
        await _auditor.DisposeAsync();
    }

    private Charge Next(int caller, int n) => (n % 3) switch
    {
        0 => _tight,
        1 => _wide,
        _ => Counters.Charge(_single, (caller * 1_000_000) + n),
    };

    // On its way an answer waits for a processor several times: for the timer, for the thread that sees it, and for the caller to go on.
    private const int Waits = 3;

    private static void AssertInTime(Verdict verdict)
    {
        // When the machine stands still once, that hits all callers.
        var part = 3 * CallersPerNode >= verdict.Answers.Count / 100 ? 1 : 0.99;
        Assert.True(
            verdict.Percentile(0.99) <= DeadlineMilliseconds + (Waits * verdict.LatePercentile(part))
                && verdict.Percentile(1) <= DeadlineMilliseconds + (Waits * verdict.LatePercentile(1)),
            $"answers came too late: {verdict}");
    }

    // At most one further limit was admitted, and what was admitted is charged in the end, but for requests that Redis may have charged already.
    private async Task AssertPaidAsync(List<Answer> answers, bool losesPayments)
    {
        var allowed = answers.Where(static a => a.Decision.IsAllowed).ToLookup(static a => a.Charge);
        Assert.Contains(answers, static a => a.IsDegraded && a.Decision.IsAllowed);
        Assert.True(allowed[_tight].Count() <= 2 * Tight, $"promise broken: {allowed[_tight].Count()} admitted under {_tight.Rule}, one further limit included");
        if (losesPayments)
            return;
        var uncertain = _fleet.Nodes.Sum(static n => n.Engine.Counters[DegradedReason.Timeout]);
        var others = allowed.Where(c => c.Key != _tight).ToArray();
        await Eventually.IsTrueAsync(
            async () => await UsedAsync([_tight]) >= Math.Min(Tight, allowed[_tight].Count() - uncertain)
                && await UsedAsync(others.Select(static c => c.Key)) >= others.Sum(static c => c.Count()) - uncertain,
            "what nodes admitted is paid");
    }

    private async Task<long> UsedAsync(IEnumerable<Charge> charges)
    {
        var used = 0L;
        foreach (var some in charges.Chunk(500))
            used += (await Task.WhenAll(some.Select(c => Counters.UsedAsync(_auditor[0], c)))).Sum();
        return used;
    }

    private async Task AssertChargedOnceAsync(List<Answer> answers, bool losesData)
    {
        var admitted = answers.Where(static a => a.Decision.IsAllowed && !a.IsDegraded).ToLookup(static a => a.Charge.Id);
        // A request that was not answered in time may have been charged nevertheless, once.
        var uncertain = answers.Where(static a => a.IsDegraded).ToLookup(static a => a.Charge.Id);
        Assert.NotEmpty(admitted[_tight.Id]);
        Assert.True(admitted[_tight.Id].Count() <= Tight, $"promise broken: {admitted[_tight.Id].Count()} admitted under {_tight.Rule}");
        var (singles, lost) = (0, 0);
        foreach (var charges in answers.Select(static a => a.Charge).DistinctBy(static c => c.Id).Chunk(500))
        {
            var used = await Task.WhenAll(charges.Select(c => Counters.UsedAsync(_auditor[0], c)));
            for (var i = 0; i < charges.Length; i++)
            {
                var id = charges[i].Id;
                var (least, most) = (admitted[id].Count(), admitted[id].Count() + uncertain[id].Count());
                singles += charges[i].Rule == _single ? 1 : 0;
                if (losesData && used[i] == 0 && charges[i].Rule == _single)
                    lost += least;
                else
                    Assert.True(used[i] >= least && used[i] <= most, $"promise broken: {used[i]} charged for {least} to {most} under {charges[i].Rule}");
            }
        }
        Assert.InRange(lost, 0, singles / 20);
    }
}
