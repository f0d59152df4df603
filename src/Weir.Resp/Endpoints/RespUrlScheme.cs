namespace Weir.Resp;

/// <summary>What the text before <c>://</c> means.</summary>
internal readonly record struct RespUrlScheme(string Name, RespTopology Topology, bool Tls)
{
    /// <summary>All schemes; where two mean the same, the first is the one to write.</summary>
    public static readonly RespUrlScheme[] All =
    [
        new("redis", RespTopology.Standalone, false), new("rediss", RespTopology.Standalone, true),
        new("redis+cluster", RespTopology.Cluster, false), new("rediss+cluster", RespTopology.Cluster, true),
        new("redis-sentinel", RespTopology.Sentinel, false), new("rediss-sentinel", RespTopology.Sentinel, true),
        new("valkey", RespTopology.Standalone, false), new("valkeys", RespTopology.Standalone, true),
    ];

    public static RespUrlScheme Of(RespOptions options) =>
        Array.Find(All, s => s.Topology == options.Topology && s.Tls == options.Tls is not null);

    public static bool TryFind(string name, out RespUrlScheme scheme)
    {
        scheme = Array.Find(All, s => s.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        return scheme.Name is not null;
    }
}
