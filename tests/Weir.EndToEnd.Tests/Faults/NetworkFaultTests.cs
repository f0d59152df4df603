namespace Weir.EndToEnd.Tests.Faults;

/// <summary>What can happen on the way between three node processes and Redis, as their callers see it.</summary>
public sealed class NetworkFaultTests(ProxiedFleet nodes) : IClassFixture<ProxiedFleet>
{
    [Fact]
    public async Task CutOff()
    {
        await using var ordeal = await Ordeal.BeginAsync(nodes.Fleet);

        // New connections are made, and nothing comes through them.
        await ordeal.BreaksAsync(Now(() =>
        {
            nodes.Proxy.HoldRequests = true;
            nodes.Proxy.CutAll();
        }));
        await ordeal.MoreAsync(2_000);
        await ordeal.IsMendedAsync(Now(() =>
        {
            nodes.Proxy.HoldRequests = false;
            nodes.Proxy.CutAll();
        }));

        await ordeal.EndAsync();
    }

    [Fact]
    public async Task RepliesVanish_AndThenTheConnections()
    {
        await using var ordeal = await Ordeal.BeginAsync(nodes.Fleet);

        // Redis charges what it is sent, and nobody learns of it.
        await ordeal.BreaksAsync(Now(() => nodes.Proxy.HoldReplies = true));
        await ordeal.MoreAsync(1_000);
        await ordeal.IsMendedAsync(Now(() =>
        {
            nodes.Proxy.CutAll();
            nodes.Proxy.HoldReplies = false;
        }));

        await ordeal.EndAsync();
    }

    [Fact]
    public async Task CutInTheMiddleOfReplies_AgainAndAgain()
    {
        await using var ordeal = await Ordeal.BeginAsync(nodes.Fleet);

        for (var i = 1; i <= 20; i++)
        {
            // From within the first bytes of a reply to somewhere in one of the next.
            nodes.Proxy.CutAfterReplyBytes(i * i);
            await ordeal.MoreAsync(200);
        }

        var verdict = await ordeal.EndAsync();
        Assert.NotEqual(0, verdict.Degraded);
    }

    private static Func<Task> Now(Action action) => () =>
    {
        action();
        return Task.CompletedTask;
    };
}
