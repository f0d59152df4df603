using Weir.Redis.Tests.Fleets;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Faults;

/// <summary>Three nodes over a Cluster of three primaries with replicas.</summary>
[Collection(nameof(OneByOne))]
public sealed class ClusterTests(SharedCluster shared) : IClassFixture<SharedCluster>
{
    private readonly RedisCluster _cluster = shared.Cluster;

    [Fact]
    public async Task ManyKeys_EachAdmitsExactlyItsLimit_AndSeveralLimitsInDifferentSlotsNeverMore()
    {
        await using var fleet = await Fleet.StartAsync(_cluster.Url, RedisNode.Patient);
        var rule = Counters.Rule(100, Counters.Long);
        var charges = Enumerable.Range(0, 32).Select(key => Counters.Charge(rule, key)).ToArray();
        var load = Load.Start(192, (caller, n) => (fleet[caller % 3], charges[(caller + n) % charges.Length]));
        await load.MoreAsync(10_000);
        var answers = await load.StopAsync();

        fleet.HasNotDegraded();
        Assert.All(answers.GroupBy(static a => a.Charge.Id), static key => Assert.Equal(100, key.Count(static a => a.Decision.IsAllowed)));
        // The counters were in slots of all primaries.
        Assert.All(_cluster.Servers, static s => Assert.NotEqual("0", s.Call("DBSIZE").Text));
        foreach (var algorithm in Enum.GetValues<AlgorithmKind>())
            await CheckSeveralLimitsAsync(fleet, algorithm);
    }

    private static async Task CheckSeveralLimitsAsync(Fleet fleet, AlgorithmKind algorithm)
    {
        var parent = Counters.Charge(Counters.Rule(200, Counters.Long, algorithm), "parent");
        var children = Enumerable.Range(0, 8).Select(c => Counters.Charge(Counters.Rule(10 + (8 * c), Counters.Long, algorithm), $"child {c}")).ToArray();
        var allowed = new int[children.Length];
        await Task.WhenAll(Enumerable.Range(0, 48).Select(c => Task.Run(() => AskAsync(fleet[c % 3], parent, children, allowed, c, requests: 20))));

        Assert.All(children.Zip(allowed), static c => Assert.InRange(c.Second, 0, (int)c.First.Rule.Permits));
        Assert.InRange(allowed.Sum(), 0, 200);
        // What was charged for a moment in one slot and refused in another has been given back. A bucket that was charged and given back many times keeps for a
        // while the time in between, which it may have counted twice.
        var rest = algorithm == AlgorithmKind.TokenBucket ? 1 : 0;
        for (var c = 0; c < children.Length; c++)
            Assert.InRange(await Counters.UsedAsync(fleet[0], children[c]), allowed[c], allowed[c] + rest);
        Assert.InRange(await Counters.UsedAsync(fleet[0], parent), allowed.Sum(), allowed.Sum() + rest);
        // Nothing stands in the way of the rest, once nodes have heard that something was given back.
        await Task.Delay(TimeSpan.FromMilliseconds(300));
        await AskAsync(fleet[0], parent, children, allowed, 1, requests: 400);
        Assert.InRange(allowed.Sum(), 200 - rest, 200);
    }

    private static async Task AskAsync(RedisNode node, Charge parent, Charge[] children, int[] allowed, int seed, int requests)
    {
        var random = new Random(seed);
        var decisions = new Decision[2];
        for (var i = 0; i < requests; i++)
        {
            var child = random.Next(children.Length);
            var decision = await node.Engine.DecideAsync(new[] { parent, children[child] }, decisions);
            Assert.NotEqual(DecisionSource.Degraded, decision.Source);
            if (decision.IsAllowed)
                Interlocked.Increment(ref allowed[child]);
        }
    }

    [Fact]
    public async Task PrimaryKilled_UnderLoad()
    {
        await using var ordeal = await Ordeal.BeginAsync(_cluster.Url);

        var slot = ordeal.TightSlot;
        var primary = _cluster.OwnerOf(slot);
        await primary.KillAsync();
        await ordeal.IsDegradedAsync();
        await Eventually.IsTrueAsync(
            () => _cluster.Servers.Any(s => s != primary && IsPrimary(s) && s.Call("CLUSTER", "INFO").Text.Contains("cluster_state:ok") && Owns(s, slot)), "the replica takes over");

        await ordeal.EndAsync(losesData: true);
        await primary.StartAsync();
        await Eventually.IsTrueAsync(() => _cluster.Servers.All(static s => s.Call("CLUSTER", "INFO").Text.Contains("cluster_state:ok")), "the Cluster is complete again");
    }

    [Fact]
    public async Task SlotMoved_UnderLoad()
    {
        await using var ordeal = await Ordeal.BeginAsync(_cluster.Url);

        // Back and forth, with the slot of the tight counter.
        var slot = ordeal.TightSlot;
        for (var i = 0; i < 2; i++)
        {
            var from = _cluster.OwnerOf(slot);
            var to = _cluster.Servers.First(s => s != from && IsPrimary(s));
            RedisCluster.BeginMove(slot, from, to);
            await ordeal.MoreAsync(300);
            foreach (var key in KeysOf(from, slot))
            {
                RedisCluster.MoveKey(key, from, to);
                await ordeal.MoreAsync(100);
            }
            await Eventually.IsTrueAsync(() => MoveRest(slot, from, to), "all keys are moved");
            await _cluster.EndMoveAsync(slot, from, to);
            await ordeal.MoreAsync(300);
        }

        await ordeal.EndAsync();
    }

    private static bool MoveRest(int slot, RedisServer from, RedisServer to)
    {
        foreach (var key in KeysOf(from, slot))
            RedisCluster.MoveKey(key, from, to);
        return !KeysOf(from, slot).Any();
    }

    private static IEnumerable<string> KeysOf(RedisServer server, int slot) => server.Call("CLUSTER", "GETKEYSINSLOT", $"{slot}", "100").Items.Select(static k => k.Text);

    private static bool IsPrimary(RedisServer server) => server.Call("INFO", "replication").Text.Contains("role:master");

    private static bool Owns(RedisServer server, int slot) => server.Call("CLUSTER", "COUNTKEYSINSLOT", $"{slot}").Text != "0";
}

/// <summary>A Cluster takes seconds to start, so all tests use one.</summary>
public sealed class SharedCluster : IAsyncLifetime
{
    private RedisCluster? _cluster;

    internal RedisCluster Cluster
    {
        get
        {
            Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
            return _cluster!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (RedisServer.Unavailable is null)
            _cluster = await RedisCluster.StartAsync(withReplicas: true);
    }

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
            await _cluster.DisposeAsync();
    }
}
