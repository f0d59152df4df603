namespace Weir.Server.Http;

/// <summary>Where a node is in its life. Thread safe; it only moves forward.</summary>
internal sealed class NodeState(DecisionClock clock)
{
    private volatile bool _ready;
    private volatile bool _stopping;

    public DecisionClock Clock => clock;

    public DateTime StartedAt { get; } = TimeOf(clock.NowMicros);

    public bool IsStopping => _stopping;

    public bool IsReady => _ready && !_stopping;

    public string Name => _stopping ? "stopping" : _ready ? "ready" : "starting";

    /// <summary>An instant of the decision clock as a time of day, to the millisecond.</summary>
    public static DateTime TimeOf(long micros) => DateTime.UnixEpoch.AddMilliseconds(micros / 1000);

    public void MarkReady() => _ready = true;

    public void MarkStopping() => _stopping = true;
}
