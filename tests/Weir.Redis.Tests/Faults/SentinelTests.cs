using Weir.Redis.Tests.Fleets;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Faults;

/// <summary>Three nodes whose primary dies, and Sentinels that make the replica the next one.</summary>
[Collection(nameof(OneByOne))]
public sealed class SentinelTests
{
    [Fact]
    public async Task PrimaryKilled_UnderLoad()
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
    public async Task ReplicaThatLacksTheLastWrites_IsRepaired_AlsoForTheNodeThatComesLate()
    {
        Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
        await using var group = await RedisSentinel.StartAsync();
        await using var proxy = new FaultyProxy(group.Primary.Port);
        // The late node speaks to the primary through a proxy, and does not hear of Sentinels.
        await using var fleet = await Fleet.StartAsync(group.Url, RedisNode.AsInProduction, 2);
        await using var late = await Fleet.StartAsync($"redis://127.0.0.1:{proxy.Port}", RedisNode.AsInProduction, 1);
        var charges = Enumerable.Range(0, 50).Select(key => Counters.Charge(Counters.Rule(10, Counters.Long), key)).ToArray();
        await TakeAsync(fleet[0], charges, 2);
        Assert.Equal("1", $"{group.Primary.Call("WAIT", "1", "5000").Text}");

        // What follows is written to the primary alone.
        group.Replica.Call("REPLICAOF", "127.0.0.1", "1");
        await TakeAsync(late[0], charges, 5);
        await group.Primary.KillAsync();
        group.Replica.Call("REPLICAOF", "NO", "ONE");
        await Eventually.IsTrueAsync(
            () => fleet.Nodes.All(n => n.Client.State is { IsConnected: true, Endpoint.Port: var port } && port == group.Replica.Port), "nodes follow to the replica");
        await fleet.IsHealthyAsync();
        await Task.Delay(TimeSpan.FromSeconds(1.5));
        // Only now does the node come that knows what is missing.
        proxy.Target = group.Replica.Port;
        await late.IsHealthyAsync();

        foreach (var charge in charges)
            Assert.Equal(7, await Counters.UsedAsync(fleet[1], charge));
    }

    private static async Task TakeAsync(RedisNode node, Charge[] charges, int permits)
    {
        foreach (var charge in charges)
            Assert.Equal(DecisionSource.Exact, (await node.Engine.DecideAsync(charge with { Cost = permits })).Source);
    }
}
