namespace Weir.Redis;

/// <summary>
/// Knows about what time it is at the server, never too late. Commands carry deadlines by it, so that one which reaches the server after its caller has
/// given up does nothing. Thread safe.
/// </summary>
internal sealed class ServerClock(TimeProvider time)
{
    private Reading? _last;

    /// <summary>The time there, in microseconds since 1970; 0 when it is not known.</summary>
    public long NowMicros => Volatile.Read(ref _last) is { } last ? last.ServerMicros + (long)time.GetElapsedTime(last.ReceivedAt).TotalMicroseconds : 0;

    /// <summary>Takes the time that a server has just told: by now it is later there.</summary>
    public void Set(long serverMicros) => Volatile.Write(ref _last, new Reading(serverMicros, time.GetTimestamp()));

    /// <summary>Another server may have another time.</summary>
    public void Forget() => Volatile.Write(ref _last, null);

    /// <summary>The latest time at which something may still be done for a caller that waits for a while from now; 0 when that is not known.</summary>
    public string DeadlineIn(TimeSpan wait) => NowMicros is var now and > 0 ? $"{now + (long)wait.TotalMicroseconds}" : "0";

    private sealed record Reading(long ServerMicros, long ReceivedAt);
}
