namespace Weir.Redis;

/// <summary>Why a failure policy decided, and not the counter.</summary>
public enum DegradedReason
{
    /// <summary>Redis did not answer in time, or the connection broke before it did. If the request had been sent, it may be charged nevertheless.</summary>
    Timeout,

    /// <summary>There is no connection, or Redis has been failing and is being probed. Nothing was sent.</summary>
    Unavailable,

    /// <summary>Redis refused the script: it is a replica, out of memory, loading, or the like, and nothing was charged. Or its reply cannot be read.</summary>
    Error,

    /// <summary>Redis lost data or moved, and nodes are telling it what they know.</summary>
    Resync,

    /// <summary>More decisions were waiting than may.</summary>
    QueueFull,
}
