using Weir.EndToEnd.Tests.Fleets;
using Weir.TestKit.Redis;

namespace Weir.EndToEnd.Tests.Faults;

/// <summary>Three node processes over a Cluster, each of whose primaries hands over to its replica while they decide.</summary>
public sealed class ClusterTests
{
    [Fact]
    public async Task EachPrimaryIsReplaced_UnderLoad()
    {
        Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
        await using var cluster = await RedisCluster.StartAsync(withReplicas: true);
        await using var fleet = await Fleet.StartOnAsync(cluster.Url, Ordeal.Rules);
        await Ordeal.WarmAsync(fleet);
        await using var ordeal = await Ordeal.BeginAsync(fleet);

        for (var i = 0; i < 3; i++)
        {
            var replica = cluster.Servers[3 + i];
            await Eventually.IsTrueAsync(() => !replica.Call("CLUSTER", "FAILOVER").IsError, "the replica begins to take over", Fleet.Patience);
            await Eventually.IsTrueAsync(() => IsPrimary(replica) && cluster.Servers.All(IsComplete), "the replica has taken over", Fleet.Patience);
            await ordeal.MoreAsync(500);
        }
        await ordeal.IsMendedAsync(() => Task.CompletedTask);

        var verdict = await ordeal.EndAsync();
        // Another server may lack what the one before it had: nodes tell it what they know, and meanwhile it decides nothing.
        Assert.NotEqual(0, verdict.Degraded);
        // Where nothing was asked for, nodes notice a little later.
        await Task.WhenAll(fleet.Routed.Select(static n => n.IsReadyAsync()));
    }

    private static bool IsPrimary(RedisServer server) => server.Call("INFO", "replication").Text.Contains("role:master");

    private static bool IsComplete(RedisServer server) => server.Call("CLUSTER", "INFO").Text.Contains("cluster_state:ok");
}
