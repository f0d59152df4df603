using Weir.TestKit.Nodes;
using Weir.TestKit.Redis;

namespace Weir.EndToEnd.Tests.Fleets;

/// <summary>
/// A real server and the <c>weir serve</c> processes that share it, as seen by a balancer: <see cref="Routed"/> are those that get requests. One test thread
/// changes it; callers only read the array.
/// </summary>
internal sealed class Fleet : IAsyncDisposable
{
    /// <summary>For what happens on any machine, however busy.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("weir-fleet-").FullName;
    private readonly List<FleetNode> _all = [];
    private readonly string _url;
    private readonly string[] _flags;
    private FleetNode[] _routed = [];
    private int _started;

    private Fleet(RedisServer? server, string url, string? rules, string[] flags)
    {
        (Server, _url) = (server!, url);
        _flags = flags;
        if (rules is null)
            return;
        var path = Path.Combine(_folder, "rules.yaml");
        File.WriteAllText(path, rules);
        _flags = [.. flags, "--rules", path];
    }

    /// <summary>The server, where the fleet started one.</summary>
    public RedisServer Server { get; }

    /// <summary>The nodes that get requests.</summary>
    public FleetNode[] Routed => Volatile.Read(ref _routed);

    public FleetNode this[int index] => Routed[index];

    /// <summary>Starts a server and nodes, <c>node-1</c> and so on, and waits until all see all. Skips the test where there is no server.</summary>
    /// <param name="rules">The text of their rules file; null for none.</param>
    /// <param name="flags">Flags of <c>weir serve</c> that all nodes get.</param>
    public static async Task<Fleet> StartAsync(string? rules = null, params string[] flags)
    {
        Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
        var server = await RedisServer.StartAsync();
        return await StartAsync(new Fleet(server, $"redis://127.0.0.1:{server.Port}", rules, flags));
    }

    /// <summary>Starts nodes on servers that the test has started.</summary>
    public static Task<Fleet> StartOnAsync(string url, string? rules = null, params string[] flags) => StartAsync(new Fleet(null, url, rules, flags));

    /// <summary>Starts one more node and waits until it is ready. It gets no requests yet.</summary>
    /// <param name="id">Its name; null for the next number.</param>
    /// <param name="flags">Flags besides those of all nodes.</param>
    public Task<FleetNode> StartNodeAsync(string? id = null, params string[] flags) => StartNodeAsync(0, id, flags);

    /// <summary>Starts one more node at a certain port and waits until it is ready.</summary>
    public async Task<FleetNode> StartNodeAsync(int port, string? id, params string[] flags)
    {
        var node = await LaunchAsync(id, port, flags);
        await node.IsReadyAsync();
        return node;
    }

    /// <summary>Starts one more node and waits until it listens, ready or not.</summary>
    /// <param name="id">Its name; null for the next number.</param>
    /// <param name="port">Where it listens; 0 for any free port.</param>
    /// <param name="flags">Flags besides those of all nodes.</param>
    public async Task<FleetNode> LaunchAsync(string? id = null, int port = 0, params string[] flags)
    {
        id ??= $"node-{Interlocked.Increment(ref _started)}";
        for (var attempt = 0; ; attempt++)
        {
            // Not from the range of outgoing connections: whoever asks for a node that has died could meet itself there.
            string[] listen = ["--node-port", $"{(port == 0 ? RedisServer.FreePort() : port)}"];
            try
            {
                var (process, url) = await WeirProcess.ServeAsync(["--redis-url", _url, "--node-id", id, "--node-host", "127.0.0.1", .. listen, .. _flags, .. flags]);
                var node = new FleetNode(id, process, url);
                lock (_all)
                    _all.Add(node);
                return node;
            }
            catch (InvalidOperationException e) when (port == 0 && attempt < 3 && e.Message.Contains("is in use", StringComparison.Ordinal))
            {
                // Another process was faster.
            }
        }
    }

    /// <summary>Lets nodes get requests.</summary>
    public void Route(params FleetNode[] nodes) => Volatile.Write(ref _routed, [.. Routed, .. nodes]);

    /// <summary>Gives a node no more requests.</summary>
    public void Unroute(FleetNode node) => Volatile.Write(ref _routed, [.. Routed.Where(n => n != node)]);

    /// <summary>Waits until every routed node sees as many nodes as there are, all of them ready.</summary>
    public Task MeetAsync() => Eventually.IsTrueAsync(
        async () => (await Task.WhenAll(Routed.Select(static n => n.NodesAsync()))).All(
            list => list.Count == Routed.Length && list.Values.All(static state => state == "ready")),
        $"{Routed.Length} nodes see each other",
        Patience);

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _all)
            await node.DisposeAsync();
        if (Server is not null)
            await Server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<Fleet> StartAsync(Fleet fleet)
    {
        try
        {
            // In order, so that the first of them has the first number.
            var ids = Enumerable.Range(0, 3).Select(_ => $"node-{++fleet._started}").ToArray();
            fleet.Route(await Task.WhenAll(ids.Select(id => fleet.StartNodeAsync(id))));
            await fleet.MeetAsync();
            return fleet;
        }
        catch
        {
            await fleet.DisposeAsync();
            throw;
        }
    }
}
