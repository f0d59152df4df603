using System.Collections.Concurrent;
using Weir.Resp;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Sharing;

/// <summary>A node's part in what nodes share, with a connection of its own, and a record of all that it was told.</summary>
internal sealed class TestNode : ISharedStateOwner, IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, OverrideLimit> _limits = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _seeds = new();
    private readonly ConcurrentQueue<string> _said = new();

    private TestNode(string url, string id, Func<SharedStateOptions, SharedStateOptions>? adjust)
    {
        var server = RespOptions.Parse(url) with { MinBackOff = TimeSpan.FromMilliseconds(20), MaxBackOff = TimeSpan.FromMilliseconds(250) };
        Client = RespClients.Create(server);
        var options = new SharedStateOptions { Server = server, NodeId = id, PollInterval = TimeSpan.FromMilliseconds(20) };
        State = new SharedState(Client, adjust?.Invoke(options) ?? options, this);
    }

    public IRespClient Client { get; }

    public SharedState State { get; }

    /// <summary>What the node tells of its state.</summary>
    public string Condition { get; set; } = "ready";

    /// <summary>What was said, with the severity before it.</summary>
    public IEnumerable<string> Said => _said;

    /// <summary>The seeds that the node was told to use, oldest first.</summary>
    public IReadOnlyList<string> Seeds => [.. _seeds];

    public int Nodes { get; private set; }

    /// <summary>The overrides in force here, such as <c>alice=5</c>.</summary>
    public string Limits => string.Join(' ', _limits.OrderBy(static l => l.Key, StringComparer.Ordinal).Select(static l => $"{l.Key}={l.Value.Limit}"));

    public int LimitCount => _limits.Count;

    /// <summary>A node that follows what is shared, once it has met the others.</summary>
    public static async Task<TestNode> StartAsync(string url, string id = "node-1", Func<SharedStateOptions, SharedStateOptions>? adjust = null)
    {
        var node = new TestNode(url, id, adjust);
        try
        {
            await node.State.MeetAsync(default);
        }
        catch (Exception e) when (e is RespFailureException or SharedStateException)
        {
            // It goes on trying.
        }
        node.State.Start();
        return node;
    }

    /// <summary>Waits until all nodes see each other.</summary>
    public static Task MeetAsync(params TestNode[] nodes) => Eventually.IsTrueAsync(
        () => nodes.All(n => n.State.Lost is null && n.State.Roll.Nodes.Count == nodes.Length), $"{nodes.Length} nodes see each other");

    public static OverrideLimit Limit(long limit) => new() { Algorithm = "sliding-window", Limit = limit, WindowMicros = 60_000_000 };

    public Task<OverrideSpread> SetAsync(string key, long limit) => State.ChangeOverrideAsync(key, Limit(limit), default);

    public Task<OverrideSpread> LiftAsync(string key) => State.ChangeOverrideAsync(key, null, default);

    public NodeCard? Describe(OverridesVersion overrides) =>
        new() { Address = "http://host:1", Version = "1.2.3", StartedMicros = 7, State = Condition, Overrides = overrides.ToString() };

    public void UseSeed(ReadOnlySpan<byte> seed) => _seeds.Enqueue(Convert.ToHexStringLower(seed));

    public void CountNodes(int nodes) => Nodes = nodes;

    public void Say(SharedSeverity severity, string message) => _said.Enqueue($"{severity}: {message}");

    public void Replace(IReadOnlyDictionary<string, OverrideLimit> all)
    {
        _limits.Clear();
        foreach (var (key, limit) in all)
            _limits[key] = limit;
    }

    public void Set(string key, OverrideLimit? limit)
    {
        if (limit is null)
            _limits.TryRemove(key, out _);
        else
            _limits[key] = limit;
    }

    public async ValueTask DisposeAsync()
    {
        await State.DisposeAsync();
        await Client.DisposeAsync();
    }
}

/// <summary>Looks at a server behind the nodes' backs.</summary>
internal static class Servers
{
    /// <summary>Skips the test where no server can be started.</summary>
    public static Task<RedisServer> StartAsync(params string[] arguments)
    {
        Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
        return RedisServer.StartAsync(arguments);
    }

    public static string UrlOf(RedisServer server) => $"redis://127.0.0.1:{server.Port}";

    /// <summary>Every key, and how long it lives in milliseconds; -1 would be for ever. Those that end meanwhile are left out.</summary>
    public static Dictionary<string, long> KeysOf(RedisServer server) =>
        server.Call("KEYS", "*").Items.Select(k => (Key: k.Text, Left: long.Parse(server.Call("PTTL", k.Text).Text))).Where(static k => k.Left != -2)
            .ToDictionary(static k => k.Key, static k => k.Left);
}
