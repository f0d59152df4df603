using Weir.Redis;
using Weir.Resp;
using Weir.Server.Http;
using Weir.Server.Management;

namespace Weir.Server.Hosting;

/// <content>Whether the node should get requests, and what it shows of all nodes.</content>
internal sealed partial class SharedNodeEngine
{
    // Shorter outages are over before a balancer has asked twice.
    private static readonly TimeSpan Tolerated = TimeSpan.FromSeconds(1);

    private long _degradedAt;

    public override string? Hindrance
    {
        get
        {
            var status = _engine.Status;
            if (!_shared.Met.IsCompletedSuccessfully || status.Health == EngineHealth.Starting)
                return WhyNot(status);
            if (_shared.Trouble is { } trouble)
                return trouble;
            // With another policy the node still answers as it was told to.
            var isTooLong = Volatile.Read(ref _degradedAt) is var since and not 0 && _time.GetElapsedTime(since) > Tolerated;
            return isTooLong && _config.FailurePolicy == FailurePolicy.Closed ? WhyNot(status) : null;
        }
    }

    public override async ValueTask<NodeList> ListNodesAsync(NodeState state, string askedAt)
    {
        var (roll, instance) = (await _shared.LookAroundAsync(), _shared.Instance);
        var nodes = roll.Nodes.Select(n => View(n, n.Instance == instance ? Condition(state) : n.Card.State)).ToList();
        // Nobody has told of this node yet, but it is there.
        if (roll.Nodes.All(n => n.Instance != instance))
        {
            nodes.Insert(0, new NodeView(
                _config.NodeId, askedAt, Condition(state), Name, BuildInfo.Version, state.StartedAt, NodeState.TimeOf(Clock.NowMicros)));
        }
        return new NodeList(nodes)
        {
            AsOf = roll.AsOfMicros == 0 ? null : NodeState.TimeOf(roll.AsOfMicros),
            Note = _shared.Lost is { } lost ? $"The list is as this node knew it last. {lost}" : null,
        };
    }

    private static NodeView View(RegisteredNode node, string state) => new(
        node.Id, node.Card.Address, state, node.Card.Engine, node.Card.Version, NodeState.TimeOf(node.Card.StartedMicros), NodeState.TimeOf(node.LastSeenMicros));

    private string Condition(NodeState state)
    {
        if (state.IsStopping)
            return "stopping";
        var health = _engine.Status.Health;
        if (!state.HasStarted || !_shared.Met.IsCompletedSuccessfully || health == EngineHealth.Starting)
            return "starting";
        return health is EngineHealth.Degraded or EngineHealth.Resync || Hindrance is not null ? "degraded" : "ready";
    }

    // That there is no connection says less than why there is none.
    private string WhyNot(EngineStatus status)
    {
        if (_client.State is { IsConnected: false, Reason: { } reason })
            return Bare(reason);
        return _shared.Met.IsCompletedSuccessfully ? $"Redis at {_server}: {status.Reason}" : _shared.Lost ?? $"Redis at {_server}: {status.Reason}";
    }

    private string Bare(RespFailureException reason)
    {
        // One server need not be named twice.
        var address = $"{reason.Endpoint}: ";
        var isNamed = _server.Endpoints.Count == 1 && reason.Message.StartsWith(address, StringComparison.Ordinal);
        return $"Redis at {_server}: {(isNamed ? reason.Message[address.Length..] : reason.Message)}";
    }

    private void OnStatusChanged(EngineStatus status)
    {
        if (status.Health is EngineHealth.Degraded or EngineHealth.Resync)
            Interlocked.CompareExchange(ref _degradedAt, _time.GetTimestamp(), 0);
        else
            Volatile.Write(ref _degradedAt, 0);
        _redisLog?.OnEngine(status);
        _shared.Wake();
    }
}
