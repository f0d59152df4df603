using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Faults;

/// <summary>Leases of <c>concurrency</c> that are taken, held for a moment and released at three nodes, while something goes wrong.</summary>
[Collection(nameof(OneByOne))]
public sealed class LeaseFaultTests
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(3);

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
        await Eventually.IsTrueAsync(() => holders.Most > Holders.Limit, "leases are given again");

        await holders.EndAsync(most: 2 * Holders.Limit);
    }
}
