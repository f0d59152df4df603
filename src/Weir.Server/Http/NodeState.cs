namespace Weir.Server.Http;

/// <summary>Where a node is in its life, and whether it should get requests. Thread safe.</summary>
/// <param name="clock">The clock of what the node shows.</param>
/// <param name="hindrance">Why the engine should not get requests now; null when it should.</param>
internal sealed class NodeState(DecisionClock clock, Func<string?> hindrance)
{
    private volatile bool _ready;
    private volatile bool _stopping;

    public DecisionClock Clock => clock;

    public DateTime StartedAt { get; } = TimeOf(clock.NowMicros);

    public bool IsStopping => _stopping;

    /// <summary>Whether the node listens.</summary>
    public bool HasStarted => _ready;

    /// <summary>Why the node should not get requests now; null when it should.</summary>
    public string? NotReady => _stopping ? "stopping" : !_ready ? "starting" : hindrance();

    /// <summary>An instant of the decision clock as a time of day, to the millisecond.</summary>
    public static DateTime TimeOf(long micros) => DateTime.UnixEpoch.AddMilliseconds(micros / 1000);

    public void MarkReady() => _ready = true;

    public void MarkStopping() => _stopping = true;
}
