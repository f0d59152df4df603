using Weir.TestKit.Redis;

namespace Weir.Resp.Tests.Cluster;

public class ClusterFailoverTests
{
    [Fact]
    public async Task Failover_IsFollowed()
    {
        Needs.Redis();
        await using var cluster = await RedisCluster.StartAsync(withReplicas: true);
        var options = RespOptions.Parse(cluster.Url) with { TopologyRefresh = TimeSpan.FromMilliseconds(200) };
        await using var client = new RespClusterClient(options);
        await client.ConnectAsync();
        var slot = RespSlots.Of("key");
        var owner = cluster.OwnerOf(slot);
        using (var reply = await client.SendAsync(RespCommand.Create("SET", "key", "before"), slot))
            Assert.Equal("OK", reply.GetString());
        await owner.KillAsync();
        using (var reply = await client.SendAsync(RespCommand.Create("GET", "key"), slot))
            Assert.False(reply.IsValue);
        await Eventually.IsTrueAsync(
            () => client.State.IsConnected && client.Primaries.Count == 3 && client.Primaries.All(p => p.State.Endpoint?.Port != owner.Port),
            "the replica has taken over and is connected");
        // The others may not have agreed yet that the Cluster is complete again.
        await Eventually.IsTrueAsync(() => GetAsync(client, slot), "the key is there");
    }

    [Fact]
    public async Task ClusterDown_IsTold()
    {
        Needs.Redis();
        await using var cluster = await RedisCluster.StartAsync(withReplicas: false);
        await using var client = new RespClusterClient(RespOptions.Parse(cluster.Url));
        await client.ConnectAsync();
        var slot = RespSlots.Of("key");
        var owner = cluster.OwnerOf(slot);
        await cluster.Servers.First(s => s != owner).KillAsync();
        await Eventually.IsTrueAsync(() => IsDownAsync(client, slot), "the Cluster says that it is down");
        Assert.False(client.State.IsConnected);
        Assert.NotNull(client.State.Reason);
    }

    private static async Task<bool> GetAsync(RespClusterClient client, int slot)
    {
        using var reply = await client.SendAsync(RespCommand.Create("GET", "key"), slot);
        return reply.IsValue;
    }

    private static async Task<bool> IsDownAsync(RespClusterClient client, int slot)
    {
        using var reply = await client.SendAsync(RespCommand.Create("GET", "key"), slot);
        return reply.ErrorKind == RespErrorKind.ClusterDown;
    }
}
