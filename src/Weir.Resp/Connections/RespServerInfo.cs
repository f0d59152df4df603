namespace Weir.Resp;

/// <summary>Which software a server runs.</summary>
public enum RespProduct
{
    /// <summary>Redis, or something that says it is.</summary>
    Redis,

    /// <summary>Valkey.</summary>
    Valkey,
}

/// <summary>What a server does for others.</summary>
public enum RespRole
{
    /// <summary>The server did not say.</summary>
    Unknown,

    /// <summary>It takes writes. Servers say <c>master</c>.</summary>
    Primary,

    /// <summary>It follows a primary. Servers say <c>slave</c> or <c>replica</c>.</summary>
    Replica,
}

/// <summary>How a server was started.</summary>
public enum RespServerMode
{
    /// <summary>On its own, perhaps with replicas.</summary>
    Standalone,

    /// <summary>As a node of a Cluster.</summary>
    Cluster,

    /// <summary>As a Sentinel, without data.</summary>
    Sentinel,
}

/// <summary>What a server said about itself when the connection was made. Immutable.</summary>
public sealed record RespServerInfo
{
    /// <summary>Redis or Valkey.</summary>
    public RespProduct Product { get; init; }

    /// <summary>The version of <see cref="Product"/>; null when the user may not see it.</summary>
    public Version? Version { get; init; }

    /// <summary>The version of Redis that the server's commands are like; for Redis the same as <see cref="Version"/>.</summary>
    public Version? RedisVersion { get; init; }

    /// <summary>Standalone, Cluster or Sentinel.</summary>
    public RespServerMode Mode { get; init; }

    /// <summary>Primary or replica.</summary>
    public RespRole Role { get; init; }

    /// <summary>The protocol spoken on this connection: 2 or 3.</summary>
    public int Protocol { get; init; }

    /// <summary>Changes with every start of the server; empty when the user may not see it.</summary>
    public string RunId { get; init; } = "";

    /// <summary>
    /// Names the history of the data: replicas share it with their primary, and it changes with a failover. Empty when hidden.
    /// </summary>
    public string ReplicationId { get; init; } = "";

    /// <summary>For people: product and version.</summary>
    public override string ToString() => Version is null ? $"{Product}" : $"{Product} {Version}";
}
