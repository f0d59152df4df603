using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Faults;

/// <summary>A primary dies, and its replica is the next one.</summary>
[Collection(nameof(OneByOne))]
public sealed class FailoverTests
{
    [Fact]
    public async Task PrimaryKilled_UnderLoad_AndReplacedBySentinels()
    {
        Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
        await using var group = await RedisSentinel.StartAsync();
        await using var ordeal = await Ordeal.BeginAsync(group.Url);

        await group.Primary.KillAsync();
        await ordeal.IsDegradedAsync();
        await Eventually.IsTrueAsync(
            () => group.Sentinels.All(s => s.Call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", RedisSentinel.PrimaryName).Items[1].Text == $"{group.Replica.Port}"),
            "the Sentinels name the replica");

        await ordeal.EndAsync(losesData: true);
    }

    [Fact]
    public async Task ReplicaThatLacksTheLastWrites_IsRepaired_AlsoByTheNodeThatComesLate()
    {
        await using var primary = await Servers.StartAsync("--repl-diskless-sync-delay", "0");
        await using var replica = await Servers.StartAsync("--replicaof", "127.0.0.1", $"{primary.Port}");
        await using var way = new FaultyProxy(primary.Port);
        await using var wayOfLate = new FaultyProxy(primary.Port);
        await using var fleet = await Fleet.StartAsync($"redis://127.0.0.1:{way.Port}", RedisNode.Patient, 2);
        await using var late = await Fleet.StartAsync($"redis://127.0.0.1:{wayOfLate.Port}", RedisNode.Patient, 1);
        var charges = Enumerable.Range(0, 50).Select(key => Counters.Charge(Counters.Rule(10, Counters.Long), key)).ToArray();
        await TakeAsync(fleet[0], charges, 2);
        await Eventually.IsTrueAsync(() => primary.Call("WAIT", "1", "1000").Text == "1", "the replica has it");

        // What follows is written to the primary alone.
        replica.Call("REPLICAOF", "127.0.0.1", "1");
        await TakeAsync(late[0], charges, 5);
        await primary.KillAsync();
        replica.Call("REPLICAOF", "NO", "ONE");
        way.Target = replica.Port;
        await Eventually.IsTrueAsync(() => fleet.Nodes.All(n => way.Connections >= 4 && n.Client.State.IsConnected), "nodes are connected again");
        // The first decision meets the other server, which is closed then until nodes have told what they know.
        await fleet[0].Engine.DecideAsync(charges[0] with { Cost = 0 });
        await fleet.IsHealthyAsync();
        Assert.Equal(2, await Counters.UsedAsync(fleet[0], charges[0]));
        // Only now, after the closed second, does the node come that knows what is missing.
        wayOfLate.Target = replica.Port;
        await late.IsHealthyAsync();

        foreach (var charge in charges)
            Assert.Equal(7, await Counters.UsedAsync(fleet[1], charge));
    }

    [Fact]
    public async Task NodeThatDoesNotNoticeTheFailover_DecidesNothingByTheReplicasOldData()
    {
        await using var primary = await Servers.StartAsync("--repl-diskless-sync-delay", "0");
        await using var replica = await Servers.StartAsync("--replicaof", "127.0.0.1", $"{primary.Port}");
        await using var way = new FaultyProxy(primary.Port);
        await using var fleet = await Fleet.StartAsync($"redis://127.0.0.1:{way.Port}", RedisNode.Patient, 1);
        var charge = Counters.Charge(Counters.Rule(10, Counters.Long), "key");
        await TakeAsync(fleet[0], [charge], 2);
        await Eventually.IsTrueAsync(() => primary.Call("WAIT", "1", "1000").Text == "1", "the replica has it");
        replica.Call("REPLICAOF", "127.0.0.1", "1");
        await TakeAsync(fleet[0], [charge], 8);
        replica.Call("REPLICAOF", "NO", "ONE");

        // Between two pulses the connection is replaced by one to the other server, and the next decision is the first that meets it.
        way.Target = replica.Port;
        way.CutAll();
        await Eventually.IsTrueAsync(() => way.Connections > 1 && fleet[0].Client.State.IsConnected, "the node is connected again");
        var decision = await fleet[0].Engine.DecideAsync(charge with { Cost = 2 });

        Assert.False(decision.IsAllowed);
        await fleet.IsHealthyAsync();
        Assert.Equal(10, await Counters.UsedAsync(fleet[0], charge));
    }

    private static async Task TakeAsync(RedisNode node, Charge[] charges, int permits)
    {
        foreach (var charge in charges)
            Assert.Equal(DecisionSource.Exact, (await node.Engine.DecideAsync(charge with { Cost = permits })).Source);
    }
}
