using Weir.TestKit.Redis;

namespace AgentApi.Tests.Servers;

/// <summary>Nodes that decide as one, with a Redis of their own.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    private readonly RedisServer _redis;
    private readonly List<WeirNode> _nodes;

    private Cluster(RedisServer redis, List<WeirNode> nodes) => (_redis, _nodes) = (redis, nodes);

    public static async Task<Cluster> StartAsync(int count)
    {
        var redis = await RedisServer.StartAsync();
        try
        {
            return new Cluster(redis, [.. await Task.WhenAll(Enumerable.Range(0, count).Select(_ => WeirNode.StartAsync(redis)))]);
        }
        catch
        {
            await redis.DisposeAsync();
            throw;
        }
    }

    /// <summary>Says to an instance that these nodes decide.</summary>
    public void AddTo(Dictionary<string, string> variables)
    {
        variables["WEIR_LIMITER"] = "nodes";
        variables["WEIR_NODES"] = string.Join(',', _nodes.Select(static n => n.Address));
        // On a busy machine the shared processor is late more often than a node.
        variables["WEIR_TIMEOUT_MS"] = "10000";
    }

    /// <summary>Ends all nodes without asking them.</summary>
    public Task KillAsync() => Task.WhenAll(_nodes.Select(static n => n.KillAsync()));

    /// <summary>Ends one node without asking it.</summary>
    public Task KillOneAsync() => _nodes[^1].KillAsync();

    /// <summary>Starts all nodes again, at their old addresses.</summary>
    public async Task StartAgainAsync()
    {
        for (var i = 0; i < _nodes.Count; i++)
        {
            var port = int.Parse(_nodes[i].Address.AsSpan(_nodes[i].Address.IndexOf(':') + 1));
            await _nodes[i].DisposeAsync();
            _nodes[i] = await WeirNode.StartAsync(_redis, port);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        await _redis.DisposeAsync();
    }
}
