using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Faults;

/// <summary>What nodes say of a server that does not do what they ask.</summary>
[Collection(nameof(OneByOne))]
public sealed class RefusingServerTests
{
    [Fact]
    public async Task Start_WhereRedisRefuses_ReturnsAndSaysWhy()
    {
        await using var server = await Servers.StartAsync("--maxmemory", "1", "--maxmemory-policy", "noeviction");
        await using var node = new RedisNode(Servers.UrlOf(server), new RedisEngineOptions());

        await node.Engine.StartAsync().WaitAsync(TimeSpan.FromSeconds(5));

        Assert.Equal(EngineHealth.Starting, node.Engine.Status.Health);
        Assert.Contains("OOM", node.Engine.Status.Reason);
        Assert.Equal(DecisionSource.Degraded, (await node.Engine.DecideAsync(Counters.Charge(Counters.Rule(1, Counters.Long), "key"))).Source);
        server.Call("CONFIG", "SET", "maxmemory", "0");
        await Eventually.IsTrueAsync(() => node.Engine.Status.Health == EngineHealth.Healthy, "it begins to decide");
    }

    [Fact]
    public async Task GivingBack_WhenTheConnectionBreaks_SaysThatItMayBeDone()
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var fleet = await Fleet.StartAsync($"redis://127.0.0.1:{proxy.Port}", RedisNode.Patient, 1);
        await using var other = await Fleet.StartAsync(server, RedisNode.Patient, 1);
        var charge = Counters.Charge(Counters.Rule(10, Counters.Long), "key");
        var decision = await fleet[0].Engine.DecideAsync(charge);

        proxy.HoldReplies = true;
        var settling = fleet[0].Engine.SettleAsync(charge, decision.Stamp, 0).AsTask();
        await Eventually.IsTrueAsync(async () => await Counters.UsedAsync(other[0], charge) == 0, "it is given back");
        proxy.CutAll();

        // Who believes that nothing was done gives it back once more.
        var unavailable = await Assert.ThrowsAsync<EngineUnavailableException>(() => settling);
        Assert.Equal(DegradedReason.Timeout, unavailable.Reason);
    }

    [Fact]
    public async Task LateAnswers_AreForgivenToANodeThatAsksNothingMore()
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var fleet = await Fleet.StartAsync($"redis://127.0.0.1:{proxy.Port}", RedisNode.AsInProduction, 1);

        proxy.HoldReplies = true;
        await fleet[0].Engine.DecideAsync(Counters.Charge(Counters.Rule(10, Counters.Long), "key"));
        proxy.HoldReplies = false;

        Assert.Equal(1, fleet[0].Engine.Counters[DegradedReason.Timeout]);
        await fleet.IsHealthyAsync(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task ServerThatIsTooSlow_IsNotTriedByCallersAgainAndAgain()
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var fleet = await Fleet.StartAsync($"redis://127.0.0.1:{proxy.Port}", RedisNode.AsInProduction, 1);
        var charge = Counters.Charge(Counters.Rule(1_000_000, Counters.Long), "key");
        var load = Load.Start(16, (_, _) => (fleet[0], charge), TimeSpan.FromMilliseconds(2));

        proxy.Delay = TimeSpan.FromMilliseconds(20);
        await Eventually.IsTrueAsync(() => fleet[0].Engine.Status.Health == EngineHealth.Degraded, "the node is degraded");
        var late = fleet[0].Engine.Counters[DegradedReason.Timeout];
        await load.MoreAsync(5_000);
        await load.StopAsync();

        // Those that were under way at that moment, and no more.
        Assert.InRange(fleet[0].Engine.Counters[DegradedReason.Timeout], late, late + 16);
        Assert.Matches("Redis answers after [0-9.]+ ms, and decisions may wait 15 ms", fleet[0].Engine.Status.Reason);
        proxy.Delay = TimeSpan.Zero;
        await fleet.IsHealthyAsync(TimeSpan.FromSeconds(2));
    }
}
