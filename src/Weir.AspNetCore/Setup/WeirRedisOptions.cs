namespace Weir.AspNetCore;

/// <summary>How counters are kept in Redis or Valkey, without nodes between.</summary>
public sealed class WeirRedisOptions
{
    /// <summary>The server: <c>redis://host:6379</c>, <c>rediss://</c> for TLS, also a Cluster or Sentinels, as in a node's <c>RATELIMITER_REDIS_URL</c>.</summary>
    public string Url { get; set; } = "";

    /// <summary>What every key begins with. Nodes and applications that decide as one use the same.</summary>
    /// <value>1 to 64 printable ASCII characters without spaces and braces. Default <c>weir</c>.</value>
    public string Prefix { get; set; } = "weir";

    /// <summary>How long a decision may wait for Redis before the failure policy answers.</summary>
    /// <value>5 ms to 10 s. Default 15 ms.</value>
    public TimeSpan DecisionTimeout { get; set; } = TimeSpan.FromMilliseconds(15);

    /// <summary>Instances of this application that share the limits: with <see cref="FailurePolicy.Local"/> each decides from such a part.</summary>
    /// <value>1 to 10,000. Default 1. Nodes on the same Redis are added by themselves.</value>
    public int Instances { get; set; } = 1;
}

/// <summary>How counters are kept in this process' memory.</summary>
public sealed class WeirMemoryOptions
{
    /// <summary>Most counters alive at once; a request that needs a further one is answered by its limit's failure policy.</summary>
    /// <value>1,000 to 100,000,000. Default 1,000,000.</value>
    public long MaxCounters { get; set; } = 1_000_000;
}
