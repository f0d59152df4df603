using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Exactness;

/// <summary>Many short windows, and clocks that are wrong.</summary>
[Collection(nameof(OneByOne))]
public sealed class WindowsTests
{
    [Fact]
    public async Task Promises_HoldOverManyWindows()
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient);
        var windows = ShortWindows.Begin(fleet);
        await ShortWindows.PassAsync();
        await windows.EndAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3_600)]
    public async Task Promises_HoldWhenTheServersClockStepsForwardAndBack(int seconds)
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient);
        var windows = ShortWindows.Begin(fleet);
        await ShortWindows.PassAsync();
        // To nodes it looks as if the clock had shown so much more for a moment, and were right again: time goes on from there, more slowly.
        ServerTime.Forward(server, seconds * 1_000_000L);
        await ShortWindows.PassAsync();
        var stamps = await windows.EndAsync(steps: 1, speed: 15.0 / 16);

        Assert.InRange(stamps[^1] - stamps[0], seconds * 1_000_000L, (seconds + 10) * 1_000_000L);
    }

    [Fact]
    public async Task Time_GoesOnAfterAFlush_WhereItHadBeenAheadOfTheServersClock()
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient);
        var charge = Counters.Charge(Counters.Rule(10, TimeSpan.FromMinutes(10)), "key");
        ServerTime.Forward(server, 3_600_000_000);
        var before = await fleet[0].Engine.DecideAsync(charge with { Cost = 10 });

        var birth = fleet[0].Engine.Shards[0].Birth;
        server.Call("FLUSHALL");
        await Eventually.IsTrueAsync(() => fleet.Nodes.All(n => n.Engine.Shards[0].Birth != birth), "nodes have noticed");
        await fleet.IsHealthyAsync();
        await using var fresh = await Fleet.StartAsync(server, RedisNode.Patient, 1);

        // An hour earlier, the permits would seem to be taken in the future, and would come back an hour too late.
        var after = await fresh[0].Engine.DecideAsync(charge);
        Assert.Equal(Outcome.Refused, after.Outcome);
        Assert.InRange(after.RetryAfter, TimeSpan.FromMinutes(9), TimeSpan.FromMinutes(10));
        Assert.InRange((await fresh[0].Engine.DecideAsync(Counters.Charge(charge.Rule, "other"))).Stamp, before.Stamp, before.Stamp + 60_000_000);
    }

    [Fact]
    public async Task NodesWithWrongClocks_KeepThePromisesAllTheSame()
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient, 1);
        await fleet.AddAsync(time: new WrongTime(TimeSpan.FromDays(-1), 1));
        await fleet.AddAsync(time: new WrongTime(TimeSpan.FromDays(400), 1));
        // Clocks may differ by five hundred parts in a million; this is the two hundredfold.
        await fleet.AddAsync(time: new WrongTime(TimeSpan.Zero, 1.1));
        var windows = ShortWindows.Begin(fleet);
        await ShortWindows.PassAsync();
        await windows.EndAsync();
    }

    /// <summary>A clock that shows another time and runs at another speed.</summary>
    private sealed class WrongTime(TimeSpan offset, double speed) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + offset;

        public override long GetTimestamp() => (long)(System.GetTimestamp() * speed);
    }
}
