namespace Weir.Resp;

/// <summary>With which name to go to a server, and what it has to be.</summary>
internal sealed record RespLogin(string? User, string? Password, int Database, RespServerMode Mode, bool AllowReplica)
{
    public static RespLogin ToServer(RespOptions options)
    {
        var mode = options.Topology == RespTopology.Cluster ? RespServerMode.Cluster : RespServerMode.Standalone;
        return new(options.User, options.Password, options.Database, mode, options.AllowReplica);
    }

    public static RespLogin ToSentinel(RespOptions options) =>
        new(options.SentinelUser, options.SentinelPassword, 0, RespServerMode.Sentinel, AllowReplica: true);
}
