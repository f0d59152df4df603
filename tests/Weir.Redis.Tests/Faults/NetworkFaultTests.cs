using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Faults;

/// <summary>What can happen on the way between three nodes and their server.</summary>
[Collection(nameof(OneByOne))]
public sealed class NetworkFaultTests
{
    [Theory]
    [InlineData(FailurePolicy.Closed)]
    [InlineData(FailurePolicy.Local)]
    public async Task RequestsVanish_AndThenTheConnections(FailurePolicy policy)
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var ordeal = await Ordeal.BeginAsync($"redis://127.0.0.1:{proxy.Port}", policy);

        proxy.HoldRequests = true;
        await ordeal.IsDegradedAsync();
        proxy.CutAll();
        proxy.HoldRequests = false;

        await ordeal.EndAsync();
    }

    [Theory]
    [InlineData(FailurePolicy.Closed)]
    [InlineData(FailurePolicy.Local)]
    public async Task RepliesVanish_AndThenTheConnections(FailurePolicy policy)
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var ordeal = await Ordeal.BeginAsync($"redis://127.0.0.1:{proxy.Port}", policy);

        // The server executes what it is sent, and nobody learns of it.
        proxy.HoldReplies = true;
        await ordeal.IsDegradedAsync();
        proxy.CutAll();
        proxy.HoldReplies = false;

        await ordeal.EndAsync();
    }

    [Fact]
    public async Task RepliesComeTooLate()
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var ordeal = await Ordeal.BeginAsync($"redis://127.0.0.1:{proxy.Port}");

        proxy.HoldReplies = true;
        await ordeal.IsDegradedAsync();
        // Now they come, to callers that have gone.
        proxy.HoldReplies = false;

        await ordeal.EndAsync();
    }

    [Fact]
    public async Task Slow()
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var ordeal = await Ordeal.BeginAsync($"redis://127.0.0.1:{proxy.Port}");

        proxy.Delay = TimeSpan.FromMilliseconds(12);
        await ordeal.IsDegradedAsync();
        await ordeal.MoreAsync(1_000);
        proxy.Delay = TimeSpan.Zero;

        await ordeal.EndAsync();
    }

    [Theory]
    [InlineData(FailurePolicy.Closed)]
    [InlineData(FailurePolicy.Local)]
    public async Task CutInTheMiddleOfReplies_AgainAndAgain(FailurePolicy policy)
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var ordeal = await Ordeal.BeginAsync($"redis://127.0.0.1:{proxy.Port}", policy);

        for (var i = 1; i <= 30; i++)
        {
            // From within the first bytes of a reply to somewhere in one of the next.
            proxy.CutAfterReplyBytes(i * i);
            await ordeal.MoreAsync(150);
        }

        await ordeal.EndAsync(losesPayments: true);
    }
}
