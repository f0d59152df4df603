namespace Weir.AspNetCore;

/// <summary>How nodes are asked.</summary>
public sealed class WeirNodesOptions
{
    /// <summary>The nodes, or a balancer before them: <c>http://weir-1:8000</c>. Several nodes must share their counters in Redis.</summary>
    /// <value>1 to 100 absolute http or https addresses without path.</value>
    public IList<string> Addresses { get; } = [];

    /// <summary>How long a call may take before the failure policy answers. What was sent is not sent again: it may have been charged.</summary>
    /// <value>5 ms to 1 minute. Default 250 ms.</value>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Most checks that travel in one HTTP request. Checks that are asked while all connections are busy go together as soon as one is free.</summary>
    /// <value>1 to 1,000. Default 64.</value>
    public int MaxBatch { get; set; } = 64;

    /// <summary>Checks under way to a node at the same time, each a connection with its batch.</summary>
    /// <value>1 to 64. Default 2.</value>
    public int ConnectionsPerNode { get; set; } = 2;

    /// <summary>Checks that may wait for a free connection; further ones are answered by the failure policy at once.</summary>
    /// <value>1 to 1,000,000. Default 10,000.</value>
    public int MaxWaiting { get; set; } = 10_000;

    /// <summary>How often nodes are asked whether they are ready. One that has failed is asked four times as often, and used again when it says so.</summary>
    /// <value>20 ms to 1 minute. Default 1 second.</value>
    public TimeSpan ProbeInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Instances of this application that share the limits: with <see cref="FailurePolicy.Local"/> each decides from such a part.</summary>
    /// <value>1 to 10,000. Default 1.</value>
    public int Instances { get; set; } = 1;

    /// <summary>Makes what sends HTTP requests, for certificates of one's own or for tests. It is disposed of with the client.</summary>
    /// <value>Default: pooled connections without proxy, cookies and redirects.</value>
    public Func<HttpMessageHandler>? Handler { get; set; }
}
