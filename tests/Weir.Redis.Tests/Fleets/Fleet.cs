using Weir.Redis.Tests.Sharing;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Fleets;

/// <summary>Tests that measure time or want all of the machine, and therefore run one after the other.</summary>
[CollectionDefinition(nameof(OneByOne), DisableParallelization = true)]
public sealed class OneByOne;

/// <summary>Several nodes that decide as one, and the server that they share.</summary>
internal sealed class Fleet : IAsyncDisposable
{
    private readonly string _url;
    private readonly RedisEngineOptions _options;
    private readonly List<RedisNode> _nodes = [];

    private Fleet(string url, RedisEngineOptions options) => (_url, _options) = (url, options);

    /// <summary>The nodes that run.</summary>
    public IReadOnlyList<RedisNode> Nodes => _nodes;

    public RedisNode this[int index] => _nodes[index];

    public static Task<Fleet> StartAsync(RedisServer server, TimeSpan timeout, int nodes = 3) => StartAsync(Servers.UrlOf(server), timeout, nodes);

    public static async Task<Fleet> StartAsync(string url, TimeSpan timeout, int nodes = 3, string prefix = "weir")
    {
        var fleet = new Fleet(url, new RedisEngineOptions { DecisionTimeout = timeout, Prefix = prefix, StaysInPlace = true });
        for (var i = 0; i < nodes; i++)
            await fleet.AddAsync();
        foreach (var node in fleet._nodes)
            node.Engine.Nodes = nodes;
        // On a busy machine the first probe of one shard of many may be late.
        await fleet.IsHealthyAsync();
        return fleet;
    }

    /// <summary>Starts another node.</summary>
    public async Task<RedisNode> AddAsync(string? url = null, TimeProvider? time = null)
    {
        var node = await RedisNode.StartAsync(url ?? _url, _options, time);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Stops a node as a node stops: it answers what it has accepted.</summary>
    public async Task StopAsync(RedisNode node)
    {
        _nodes.Remove(node);
        await node.DisposeAsync();
    }

    /// <summary>Waits until all nodes decide.</summary>
    public Task IsHealthyAsync(TimeSpan? within = null) => Eventually.IsTrueAsync(
        () => _nodes.TrueForAll(static n => n.Engine.Status.Health == EngineHealth.Healthy), "all nodes are healthy", within);

    /// <summary>Every decision so far was made by Redis.</summary>
    public void HasNotDegraded()
    {
        foreach (var node in _nodes)
        {
            var why = Enum.GetValues<DegradedReason>().Where(r => node.Engine.Counters[r] > 0).Select(r => $"{node.Engine.Counters[r]} by {r}");
            Assert.True(node.Degraded == 0, $"decisions were degraded: {string.Join(", ", why)}; the node is {node.Engine.Status}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
    }
}
