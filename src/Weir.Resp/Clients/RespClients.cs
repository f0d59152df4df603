namespace Weir.Resp;

/// <summary>Makes the client that fits a URL.</summary>
public static class RespClients
{
    /// <summary>Makes a client. It connects once <see cref="IRespClient.ConnectAsync"/> is called.</summary>
    /// <param name="options">Usually from <see cref="RespOptions.Parse"/>.</param>
    /// <param name="time">The clock of deadlines and pauses. Default: the system's.</param>
    /// <exception cref="ArgumentException">Options are out of their ranges; the message names all of them.</exception>
    public static IRespClient Create(RespOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.Topology == RespTopology.Cluster ? new RespClusterClient(options, time) : new RespClient(options, time);
    }
}
