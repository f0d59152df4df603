using Weir.Server.Tests.Http;
using Weir.TestKit.Redis;

namespace Weir.Server.Tests.Shared;

/// <summary>A real server, and nodes that share counters through it.</summary>
internal sealed class SharedNodes : IAsyncDisposable
{
    private readonly List<RunningNode> _nodes = [];

    private SharedNodes(RedisServer server) => Server = server;

    public RedisServer Server { get; }

    public string Url => $"redis://127.0.0.1:{Server.Port}";

    public RunningNode this[int index] => _nodes[index];

    /// <summary>Starts a server. Skips the test where there is none.</summary>
    public static async Task<SharedNodes> StartAsync(params string[] arguments)
    {
        Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
        return new SharedNodes(await RedisServer.StartAsync(arguments));
    }

    /// <summary>Starts a server and nodes, <c>node-1</c> and so on, that see each other.</summary>
    public static async Task<SharedNodes> WithNodesAsync(int count, params (string Name, string Value)[] settings)
    {
        var nodes = await StartAsync();
        for (var i = 0; i < count; i++)
            await nodes.AddAsync(settings);
        await nodes.MeetAsync();
        return nodes;
    }

    /// <summary>Starts one more node.</summary>
    public async Task<RunningNode> AddAsync(params (string Name, string Value)[] settings)
    {
        // A busy machine answers late, and that is not what these tests are about.
        var number = _nodes.Count + 1;
        (string, string)[] common = [("REDIS_URL", Url), ("NODE_ID", $"node-{number}"), ("NODE_HOST", $"host-{number}"), ("DECISION_TIMEOUT_MS", "2000")];
        var node = await RunningNode.OnRealTimeAsync(null, [.. common, .. settings]);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Waits until every node sees all others.</summary>
    public Task MeetAsync() => Eventually.IsTrueAsync(
        async () =>
        {
            var lists = await Task.WhenAll(_nodes.Select(static n => n.GetAsync("/api/nodes")));
            return lists.All(l => l.Json.GetProperty("nodes").GetArrayLength() == _nodes.Count);
        },
        $"{_nodes.Count} nodes see each other");

    /// <summary>Ends a node without a word to the others.</summary>
    public async Task KillAsync(int index)
    {
        var node = _nodes[index];
        _nodes.RemoveAt(index);
        await node.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        await Server.DisposeAsync();
    }
}

/// <summary>What tests of shared nodes ask of one.</summary>
internal static class RunningNodeExtensions
{
    public static async Task<string?> NotReadyAsync(this RunningNode node)
    {
        var reply = await node.GetAsync("/health/ready");
        return reply.Status == 200 ? null : reply.String("reason");
    }

    public static Task IsReadyAsync(this RunningNode node) => Eventually.IsTrueAsync(async () => await node.NotReadyAsync() is null, "the node is ready");

    public static async Task<double> MetricAsync(this RunningNode node, string series)
    {
        var line = (await node.GetAsync("/metrics")).Text.Split('\n').Single(l => l.StartsWith(series + " ", StringComparison.Ordinal));
        return double.Parse(line[(series.Length + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }
}
