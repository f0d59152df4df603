namespace Weir.Redis;

/// <summary>
/// What a shard's clock shows, as far as this node knows: the instant of the newest reply and the time since. Used to name generations and to never let an
/// instant fall behind one already seen. Thread safe.
/// </summary>
internal sealed class ShardClock(TimeProvider time)
{
    private readonly Lock _gate = new();
    private long _micros;
    private long _timestamp;

    /// <summary>An instant that tests set: the script decides at exactly this one.</summary>
    public Func<long>? Exact { get; set; }

    /// <summary>The newest instant seen; 0: none.</summary>
    public long NewestMicros => Exact?.Invoke() ?? Volatile.Read(ref _micros);

    /// <summary>About what the clock shows now.</summary>
    public long NowMicros
    {
        get
        {
            if (Exact is { } exact)
                return exact();
            lock (_gate)
                return _micros + (time.GetElapsedTime(_timestamp).Ticks / TimeSpan.TicksPerMicrosecond);
        }
    }

    /// <summary>Takes note of a reply's instant.</summary>
    public void Notice(long micros)
    {
        var timestamp = time.GetTimestamp();
        lock (_gate)
        {
            if (micros <= _micros)
                return;
            Volatile.Write(ref _micros, micros);
            _timestamp = timestamp;
        }
    }
}
