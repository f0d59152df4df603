using Weir.EndToEnd.Tests.Fleets;
using Weir.TestKit.Redis;

namespace Weir.EndToEnd.Tests.Faults;

/// <summary>A primary that freezes, is replaced, and wakes up as if nothing had been.</summary>
public sealed class FailoverTests
{
    [Fact]
    public async Task PrimaryThatIsReplacedWhileItIsFrozen_AdmitsNothingWhenItWakes()
    {
        Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
        await using var group = await RedisSentinel.StartAsync();
        await using var fleet = await Fleet.StartOnAsync(group.Url, Ordeal.Rules);
        await using var ordeal = await Ordeal.BeginAsync(fleet);

        await ordeal.BreaksAsync(() =>
        {
            group.Primary.Pause();
            return Task.CompletedTask;
        });
        await ordeal.IsMendedAsync(() => Eventually.IsTrueAsync(
            () => group.Sentinels.All(s => s.Call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", RedisSentinel.PrimaryName).Items[1].Text == $"{group.Replica.Port}"),
            "the Sentinels name the replica",
            Fleet.Patience));
        // It takes itself for a primary until a Sentinel tells it otherwise, seconds later.
        group.Primary.Resume();
        Assert.Contains("role:master", group.Primary.Call("INFO", "replication").Text);
        await ordeal.MoreAsync(1_000);

        await ordeal.EndAsync();
    }
}
