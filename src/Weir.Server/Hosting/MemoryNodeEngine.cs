using Weir.Server.Configuration;
using Weir.Server.Deciding;
using Weir.Server.Http;
using Weir.Server.Management;

namespace Weir.Server.Hosting;

/// <summary>A node that counts in its own memory, and shares nothing.</summary>
internal sealed class MemoryNodeEngine : NodeEngine
{
    private readonly NodeConfig _config;
    private readonly MemoryEngine _engine;

    public MemoryNodeEngine(NodeConfig config, ChargeResolver resolver, TimeProvider time)
    {
        _config = config;
        _engine = new MemoryEngine(new MemoryEngineOptions { MaxCounters = config.MaxCounters }, time);
        Reservations = new MemoryReservationBook(_engine.Clock);
        Overrides = new MemoryOverrideStore(resolver.Overrides);
    }

    public override string Name => "memory";

    public override ILimiter Limiter => _engine;

    public override string WhyDegraded => "The node has no room for another counter";

    public override DecisionClock Clock => _engine.Clock;

    public override IReservationBook Reservations { get; }

    public override IOverrideStore Overrides { get; }

    public override ValueTask<NodeList> ListNodesAsync(NodeState state, string askedAt)
    {
        var now = NodeState.TimeOf(Clock.NowMicros);
        return new(new NodeList([new NodeView(_config.NodeId, askedAt, state.NotReady ?? "ready", Name, BuildInfo.Version, state.StartedAt, now)]));
    }

    public override ValueTask DisposeAsync()
    {
        _engine.Dispose();
        return ValueTask.CompletedTask;
    }
}
