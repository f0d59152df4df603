using System.Globalization;

namespace Weir.TestKit.Redis;

/// <summary>A Cluster of three primaries on this machine, each with a replica if so wished.</summary>
public sealed class RedisCluster : IAsyncDisposable
{
    private const int PrimaryCount = 3;
    private const int SlotCount = 16_384;

    private readonly List<RedisServer> _servers = [];
    private readonly TestCertificates? _certificates;

    private RedisCluster(TestCertificates? certificates) => _certificates = certificates;

    /// <summary>The servers that were primaries at the start, then their replicas in the same order.</summary>
    public IReadOnlyList<RedisServer> Servers => _servers;

    /// <summary>The URL of the Cluster, naming its first two servers.</summary>
    public string Url => _certificates is null
        ? $"redis+cluster://127.0.0.1:{_servers[0].Port},127.0.0.1:{_servers[1].Port}"
        : $"rediss+cluster://127.0.0.1:{MainPortOf(_servers[0])},127.0.0.1:{MainPortOf(_servers[1])}?tls_ca_file={_certificates.CaFile}";

    /// <summary>Starts the servers, joins them, and waits until all agree that the Cluster is complete.</summary>
    /// <param name="withReplicas">Whether each primary has a replica.</param>
    /// <param name="certificates">With what the servers speak TLS, to clients and to each other; null: they do not. Tests speak to them without.</param>
    public static async Task<RedisCluster> StartAsync(bool withReplicas, TestCertificates? certificates = null)
    {
        var cluster = new RedisCluster(certificates);
        try
        {
            for (var i = 0; i < (withReplicas ? 2 * PrimaryCount : PrimaryCount); i++)
            {
                // Replicas are shown once they have received something, and that would be a ping after ten seconds.
                cluster._servers.Add(await RedisServer.StartAsync(
                [
                    "--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0",
                    "--cluster-allow-replica-migration", "no", "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1",
                    .. cluster.TlsOptions(),
                ]));
            }
            await cluster.JoinAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The node identifier of a server.</summary>
    public static string IdOf(RedisServer server) => server.Call("CLUSTER", "MYID").Text;

    /// <summary>The server that has a slot, by its own word.</summary>
    public RedisServer OwnerOf(int slot) => _servers.First(s => Says(s, slot, s));

    /// <summary>Begins to move a slot: its keys may then be at either server.</summary>
    public static void BeginMove(int slot, RedisServer from, RedisServer to)
    {
        to.Demand("CLUSTER", "SETSLOT", $"{slot}", "IMPORTING", IdOf(from));
        from.Demand("CLUSTER", "SETSLOT", $"{slot}", "MIGRATING", IdOf(to));
    }

    /// <summary>Moves one key of a slot that is being moved.</summary>
    public static void MoveKey(string key, RedisServer from, RedisServer to) => from.Demand("MIGRATE", "127.0.0.1", $"{to.Port}", key, "0", "5000");

    /// <summary>
    /// Ends the move of a slot: it belongs to the other server now. Waits until all servers know, because old news of one move can undo
    /// the next.
    /// </summary>
    public async Task EndMoveAsync(int slot, RedisServer from, RedisServer to)
    {
        var id = IdOf(to);
        to.Demand("CLUSTER", "SETSLOT", $"{slot}", "NODE", id);
        from.Demand("CLUSTER", "SETSLOT", $"{slot}", "NODE", id);
        await Eventually.IsTrueAsync(() => _servers.TrueForAll(s => Says(s, slot, to)), $"all servers know who has slot {slot}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
            await server.DisposeAsync();
    }

    private static bool Says(RedisServer server, int slot, RedisServer owner) => server.Call("CLUSTER", "SLOTS").Items.Any(r =>
        Number(r.Items[0]) <= slot && slot <= Number(r.Items[1]) && Number(r.Items[2].Items[1]) == owner.Port);

    private static int Number(PlainReply reply) => int.Parse(reply.Text, CultureInfo.InvariantCulture);

    private string[] TlsOptions() => _certificates is null
        ? []
        : ["--tls-port", $"{RedisServer.FreePort()}", "--tls-cluster", "yes", "--tls-replication", "yes", .. _certificates.Options];

    // With TLS a Cluster goes by that port, and tells the other one to those who ask without.
    private int MainPortOf(RedisServer server) => _certificates is null ? server.Port : Number(server.Call("CONFIG", "GET", "tls-port").Items[1]);

    private async Task JoinAsync()
    {
        for (var i = 0; i < PrimaryCount; i++)
        {
            _servers[i].Demand("CLUSTER", "ADDSLOTSRANGE", $"{SlotCount * i / PrimaryCount}", $"{(SlotCount * (i + 1) / PrimaryCount) - 1}");
            _servers[i].Demand("CLUSTER", "SET-CONFIG-EPOCH", $"{i + 1}");
        }
        foreach (var server in _servers.Skip(1))
            _servers[0].Demand("CLUSTER", "MEET", "127.0.0.1", $"{MainPortOf(server)}");
        await Eventually.IsTrueAsync(() => _servers.TrueForAll(s => Info(s, $"cluster_known_nodes:{_servers.Count}")), "all nodes know each other");
        for (var i = PrimaryCount; i < _servers.Count; i++)
        {
            var (replica, primary) = (_servers[i], IdOf(_servers[i - PrimaryCount]));
            await Eventually.IsTrueAsync(() => !replica.Call("CLUSTER", "REPLICATE", primary).IsError, "a replica knows its primary");
        }
        await Eventually.IsTrueAsync(() => _servers.TrueForAll(s => Info(s, "cluster_state:ok")), "the Cluster is complete");
        await Eventually.IsTrueAsync(
            () => _servers.Skip(PrimaryCount).All(static s => s.Call("INFO", "replication").Text.Contains("master_link_status:up")), "replicas follow");
        // Clients may ask any node for the map, so all of them have to know all of it.
        await Eventually.IsTrueAsync(
            () => _servers.TrueForAll(s => s.Call("CLUSTER", "SLOTS").Items.Sum(static r => r.Items.Count - 2) == _servers.Count), "all know the replicas");
    }

    private static bool Info(RedisServer server, string line) => server.Call("CLUSTER", "INFO").Text.Contains(line);
}
