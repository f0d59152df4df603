using Microsoft.Extensions.Logging;
using Weir.Server.Deciding;
using Weir.Server.Http;
using Weir.Server.Management;
using Weir.Server.Metrics;

namespace Weir.Server.Hosting;

/// <summary>What a node counts in, and everything about the node that depends on which it is.</summary>
internal abstract class NodeEngine : IAsyncDisposable
{
    /// <summary>What people call it.</summary>
    public abstract string Name { get; }

    public abstract ILimiter Limiter { get; }

    /// <summary>Why a failure policy answers in its place, as the beginning of a sentence.</summary>
    public abstract string WhyDegraded { get; }

    /// <summary>The clock of what the node shows.</summary>
    public abstract DecisionClock Clock { get; }

    public abstract IReservationBook Reservations { get; }

    public abstract IOverrideStore Overrides { get; }

    /// <summary>What it counts besides; null where there is nothing.</summary>
    public virtual SharedEngineMetrics? Metrics => null;

    /// <summary>Why the node should not get requests now; null when it should.</summary>
    public virtual string? Hindrance => null;

    /// <summary>All nodes that share counters with this one.</summary>
    /// <param name="state">This node's state.</param>
    /// <param name="askedAt">The address under which the node was asked.</param>
    public abstract ValueTask<NodeList> ListNodesAsync(NodeState state, string askedAt);

    /// <summary>Begins, before the node listens.</summary>
    /// <exception cref="NodeStartException">Something is wrong that will not cure itself.</exception>
    public virtual Task StartAsync(ILogger log, CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>Tells the other nodes of this one, which listens from now on.</summary>
    public virtual void Join(NodeState state, int port)
    {
    }

    /// <summary>Tells the other nodes that the node's state has changed.</summary>
    public virtual void TellOthers()
    {
    }

    /// <summary>Takes the node off the list of nodes. It listens no more.</summary>
    public virtual Task LeaveAsync() => Task.CompletedTask;

    public abstract ValueTask DisposeAsync();
}
