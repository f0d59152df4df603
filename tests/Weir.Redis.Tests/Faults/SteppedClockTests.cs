using Weir.Redis.Tests.Exactness;
using Weir.Redis.Tests.Fleets;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Faults;

/// <summary>The server's clock really steps, and what goes by it in Redis does, too: the ends of keys.</summary>
[Collection(nameof(OneByOne))]
public sealed class SteppedClockTests : IDisposable
{
    private const int Hour = 3_600;

    private readonly SteppedClock _clock = new();

    public void Dispose() => _clock.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(Hour)]
    [InlineData(-1)]
    [InlineData(-Hour)]
    public async Task Promises_HoldWhenItStepsThereAndBack_UnderLoad(int seconds)
    {
        await using var server = await StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient);
        var windows = ShortWindows.Begin(fleet);
        await ShortWindows.PassAsync();

        Step(server, seconds);
        await ShortWindows.PassAsync();
        Step(server, 0);
        await ShortWindows.PassAsync();

        // Back, time goes on more slowly; forward, once more than that is let in.
        await windows.EndAsync(steps: 1, speed: 15.0 / 16);
    }

    [Theory]
    [InlineData(AlgorithmKind.SlidingWindow)]
    [InlineData(AlgorithmKind.TokenBucket)]
    [InlineData(AlgorithmKind.FixedWindow)]
    [InlineData(AlgorithmKind.SlidingCounter)]
    [InlineData(AlgorithmKind.Concurrency)]
    public async Task SpentLimit_StaysSpentWhenItStepsBack_AndOneFurtherIsGivenWhenItStepsForward(AlgorithmKind algorithm)
    {
        await using var server = await StartAsync();
        await using var fleet = await StartFleetAsync(server);
        var charge = Counters.Charge(Counters.Rule(30, Counters.Long, algorithm), "key");
        Assert.Equal(30, await AllowedAsync(fleet, charge));

        foreach (var seconds in new[] { -Hour, 0, -400 * 24 * Hour, 0, Hour, -Hour })
        {
            Step(server, seconds);
            await AssertSpentAsync(fleet, charge, seconds);
        }
        // All that was used is long gone by then, and a window of the sliding counter is remembered for one more.
        Step(server, 700 * 24 * Hour);
        Assert.Equal(30, await AllowedAsync(fleet, charge));
        foreach (var seconds in new[] { 0, Hour, -400 * 24 * Hour })
        {
            Step(server, seconds);
            await AssertSpentAsync(fleet, charge, seconds);
        }
        fleet.HasNotDegraded();
        await Keys.AllEndAsync(fleet[0].Client);
    }

    // What was written while the clock was behind ends by a clock that is right again.
    [Theory]
    [InlineData(AlgorithmKind.SlidingWindow)]
    [InlineData(AlgorithmKind.TokenBucket)]
    [InlineData(AlgorithmKind.Concurrency)]
    public async Task LimitThatWasSpentWhileItWasBehind_IsSpentWhenItIsRightAgain(AlgorithmKind algorithm)
    {
        await using var server = await StartAsync();
        await using var fleet = await StartFleetAsync(server);
        var charge = Counters.Charge(Counters.Rule(30, TimeSpan.FromMinutes(10), algorithm), "key");
        Assert.True((await fleet[0].Engine.DecideAsync(Counters.Charge(Counters.Rule(30, Counters.Long), "other"))).IsAllowed);

        Step(server, -2 * Hour);
        Assert.Equal(30, await AllowedAsync(fleet, charge));
        Step(server, 0);
        await AssertSpentAsync(fleet, charge, 0);
        fleet.HasNotDegraded();
    }

    private async Task<RedisServer> StartAsync()
    {
        Assert.SkipWhen(SteppedClock.Unavailable is not null, SteppedClock.Unavailable ?? "");
        return await _clock.StartServerAsync();
    }

    // Redis decides, and not what nodes remember of it.
    private static async Task<Fleet> StartFleetAsync(RedisServer server)
    {
        var fleet = await Fleet.StartAsync(server, RedisNode.Patient);
        foreach (var node in fleet.Nodes)
            node.Engine.Shards[0].Memory.Refuses = false;
        return fleet;
    }

    private void Step(RedisServer server, long seconds)
    {
        _clock.Set(seconds);
        var shown = DateTimeOffset.FromUnixTimeSeconds(long.Parse(server.Call("TIME").Items[0].Text));
        Assert.InRange(shown - TimeProvider.System.GetUtcNow(), TimeSpan.FromSeconds(seconds - 5), TimeSpan.FromSeconds(seconds + 5));
    }

    private static async Task AssertSpentAsync(Fleet fleet, Charge charge, long seconds)
    {
        var allowed = await AllowedAsync(fleet, charge);
        Assert.True(allowed == 0, $"promise broken: {allowed} admitted when the clock was set to {seconds} s");
    }

    // Each node is asked for one more than there may be.
    private static async Task<int> AllowedAsync(Fleet fleet, Charge charge)
    {
        var allowed = 0;
        for (var i = 0; i <= charge.Rule.Permits; i++)
        {
            foreach (var node in fleet.Nodes)
                allowed += (await node.Engine.DecideAsync(charge)).IsAllowed ? 1 : 0;
        }
        return allowed;
    }
}
