using Weir.Resp;

namespace Weir.Redis.Tests.Fleets;

/// <summary>A node as far as deciding goes: an engine with a connection of its own, set up as <c>weir serve</c> does.</summary>
internal sealed class RedisNode : IAsyncDisposable
{
    /// <summary>For tests about counts: no busy machine takes that long, so nothing is degraded.</summary>
    public static readonly TimeSpan Patient = TimeSpan.FromSeconds(5);

    /// <summary>For tests about what follows from faults: no longer than needed, and not so short that a busy machine is taken for a fault.</summary>
    public static readonly TimeSpan Steady = TimeSpan.FromMilliseconds(250);

    /// <summary>For tests about faults: what nodes have in production.</summary>
    public static readonly TimeSpan AsInProduction = new RedisEngineOptions().DecisionTimeout;

    public RedisNode(string url, RedisEngineOptions options, TimeProvider? time = null)
    {
        Client = RespClients.Create(RespOptions.Parse(url) with
        {
            DeadlineResolution = TimeSpan.FromMilliseconds(2),
            MinBackOff = TimeSpan.FromMilliseconds(20),
            MaxBackOff = TimeSpan.FromMilliseconds(250),
        });
        Engine = new RedisEngine(Client, options, time);
    }

    public IRespClient Client { get; }

    public RedisEngine Engine { get; }

    public static async Task<RedisNode> StartAsync(string url, RedisEngineOptions options, TimeProvider? time = null)
    {
        var node = new RedisNode(url, options, time);
        await node.Engine.StartAsync();
        return node;
    }

    /// <summary>Decisions of failure policies, whatever the reason.</summary>
    public long Degraded => Enum.GetValues<DegradedReason>().Sum(r => Engine.Counters[r]);

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        await Client.DisposeAsync();
    }
}
