using Weir.Redis;

namespace Weir.Server.Metrics;

/// <summary>What the shared engine and its connection tell of themselves, for Prometheus.</summary>
/// <param name="counters">What the engine has counted.</param>
/// <param name="health">How the engine is.</param>
/// <param name="isConnected">Whether there is a connection to Redis; of a Cluster, to all its primaries.</param>
/// <param name="reconnects">Connections that were made after one was lost.</param>
/// <param name="nodes">How many nodes there are, as last seen.</param>
internal sealed class SharedEngineMetrics(
    EngineCounters counters, Func<EngineHealth> health, Func<bool> isConnected, Func<long> reconnects, Func<int> nodes)
{
    private static readonly (EngineHealth Health, string Name)[] States =
    [
        (EngineHealth.Starting, "starting"), (EngineHealth.Healthy, "healthy"), (EngineHealth.Suspect, "suspect"),
        (EngineHealth.Degraded, "degraded"), (EngineHealth.Resync, "resync"),
    ];

    private readonly long[] _before = new long[DegradedReasons.Shared.Length];

    /// <summary>What a state is called.</summary>
    public static string NameOf(EngineHealth health) => Array.Find(States, s => s.Health == health).Name;

    /// <summary>Leaves out the decisions that were degraded until now: the node's own, before anybody called.</summary>
    public void ForgetDegraded()
    {
        for (var i = 0; i < _before.Length; i++)
            _before[i] = counters[DegradedReasons.Shared[i].Reason];
    }

    /// <summary>Writes the samples of degraded decisions, of a family that was begun.</summary>
    public void WriteDegraded(PrometheusWriter writer, string name)
    {
        for (var i = 0; i < _before.Length; i++)
        {
            var (reason, label) = DegradedReasons.Shared[i];
            writer.Sample(name, counters[reason] - _before[i], ("reason", label));
        }
    }

    /// <summary>Writes all other families.</summary>
    public void Write(PrometheusWriter writer)
    {
        WriteState(writer);
        writer.Gauge("ratelimiter_redis_up", isConnected() ? 1 : 0, "Whether there is a connection to Redis; of a Cluster, to all its primaries.");
        writer.Gauge("ratelimiter_nodes", nodes(), "Nodes that share counters, as last seen.");
        writer.Counter("ratelimiter_redis_decisions_total", counters[EngineCount.Decisions], "Decisions that Redis made.");
        writer.Counter("ratelimiter_redis_batches_total", counters[EngineCount.Batches], "Scripts that decided, each one or more requests.");
        writer.Counter("ratelimiter_redis_scripts_total", counters[EngineCount.Scripts], "Scripts of all kinds.");
        writer.Counter("ratelimiter_redis_received_bytes_total", counters[EngineCount.BytesReceived], "Bytes of the replies of scripts that decided.");
        writer.Counter(
            "ratelimiter_redis_deny_cache_hits_total", counters[EngineCount.DenyCacheHits], "Requests refused without asking Redis, because a refusal still held.");
        writer.Counter("ratelimiter_redis_reconnects_total", reconnects(), "Connections made after one was lost.");
        writer.Counter(
            "ratelimiter_redis_resyncs_total", counters[EngineCount.Resyncs], "Times that this node told Redis what it knew, because Redis had lost data.");
    }

    private void WriteState(PrometheusWriter writer)
    {
        const string name = "ratelimiter_engine_state";
        writer.Family(name, "gauge", "The state of the shared engine: 1 for the one that it is in.");
        var now = health();
        foreach (var (state, label) in States)
            writer.Sample(name, state == now ? 1 : 0, ("state", label));
    }
}
