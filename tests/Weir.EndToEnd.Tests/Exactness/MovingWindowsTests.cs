using Weir.EndToEnd.Tests.Fleets;
using Weir.TestKit.Nodes;

namespace Weir.EndToEnd.Tests.Exactness;

/// <summary>Windows go by while node processes die and come back, and <c>weir load</c> proves that the promise was kept in each.</summary>
public sealed class MovingWindowsTests
{
    [Theory]
    [InlineData("sliding-window")]
    [InlineData("token-bucket")]
    public async Task Promise_IsKept_WhileNodesAreKilledAndRestarted(string algorithm)
    {
        await using var fleet = await Fleet.StartAsync(
            null, "--default-algorithm", algorithm, "--default-limit", "30", "--default-window-ms", "1000", "--decision-timeout-ms", "5000");
        await using var load = WeirProcess.Start(
            "load", "--targets", string.Join(',', fleet.Routed.Select(static n => n.Url)), "--rps", "150", "--duration", "6", "--keys", "2", "--expect", "rules");
        await TestKit.Redis.Eventually.IsTrueAsync(
            async () => await fleet[2].MetricAsync("ratelimiter_requests_checked_total", "blocked") > 10, "windows are spent", Fleet.Patience);

        // The same address serves again, and what was lost in between was lost to nobody else.
        foreach (var node in fleet.Routed[1..])
        {
            node.Process.End();
            await node.Process.ExitAsync();
            await fleet.StartNodeAsync(node.Port, node.Id);
        }

        Assert.True(await load.ExitAsync() == 0, load.Output + load.Errors);
        Assert.Contains($"promise kept: 30 per 1s, {algorithm}", load.Output);
    }
}
