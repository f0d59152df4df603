using Weir.TestKit.Redis;

namespace Weir.Resp.Tests.Cluster;

/// <summary>A Cluster whose servers ask for a password, and one that speaks TLS.</summary>
public class ClusterSecurityTests
{
    [Fact]
    public async Task Password_IsSentToAllNodes()
    {
        Needs.Redis();
        await using var cluster = await RedisCluster.StartAsync(withReplicas: false);
        foreach (var server in cluster.Servers)
            server.RequirePassword("p@ss");
        var hosts = cluster.Url["redis+cluster://".Length..];

        await using var client = new RespClusterClient(RespOptions.Parse($"redis+cluster://:p%40ss@{hosts}"));
        await WritesEverywhereAsync(client);
        await FailsAsync(cluster.Url, RespCause.PasswordNeeded);
        await FailsAsync($"redis+cluster://:wrong@{hosts}", RespCause.WrongPassword);
    }

    [Fact]
    public async Task Tls_IsSpokenWithAllNodes()
    {
        Needs.Redis();
        using var certificates = new TestCertificates();
        await using var cluster = await RedisCluster.StartAsync(withReplicas: false, certificates);

        await using var client = new RespClusterClient(RespOptions.Parse(cluster.Url));
        await WritesEverywhereAsync(client);
        // No other connection than the one that asks came by the port without.
        Assert.All(cluster.Servers, static s => Assert.Single(s.Call("CLIENT", "LIST").Text.Split('\n'), c => c.Contains($" laddr=127.0.0.1:{s.Port} ")));
        await FailsAsync(cluster.Url[..cluster.Url.IndexOf('?')], RespCause.CertificateUntrusted);
    }

    private static async Task FailsAsync(string url, RespCause cause)
    {
        await using var client = new RespClusterClient(RespOptions.Parse(url));
        var e = await Assert.ThrowsAsync<RespFailureException>(() => client.ConnectAsync());
        Assert.Equal(cause, e.Failure.Cause);
    }

    private static async Task WritesEverywhereAsync(RespClusterClient client)
    {
        await client.ConnectAsync();
        Assert.Equal(3, client.Primaries.Count);
        for (var i = 0; i < 100; i++)
        {
            using var reply = await client.SendAsync(RespCommand.Create("SET", $"key-{i}", "1"), RespSlots.Of($"key-{i}"));
            Assert.Equal("OK", reply.GetString());
        }
        foreach (var primary in client.Primaries)
        {
            using var size = await primary.SendAsync(RespCommand.Create("DBSIZE"), -1);
            Assert.InRange(size.GetInt64(), 10, 60);
        }
    }
}
