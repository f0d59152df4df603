namespace AgentApi.Hosting;

/// <summary>Whether this instance is stopping, and what it is busy with. Written by whoever, read by whoever.</summary>
internal sealed class AgentState
{
    private volatile bool _isStopping;
    private long _requests;
    private long _active;

    public bool IsStopping => _isStopping;

    /// <summary>Requests since the start, health checks not counted.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>Requests that are being answered now.</summary>
    public long Active => Interlocked.Read(ref _active);

    public void MarkStopping() => _isStopping = true;

    public void Enter()
    {
        Interlocked.Increment(ref _requests);
        Interlocked.Increment(ref _active);
    }

    public void Leave() => Interlocked.Decrement(ref _active);
}
