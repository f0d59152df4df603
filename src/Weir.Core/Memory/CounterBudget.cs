namespace Weir;

/// <summary>Counts the counters of all segments against their bound. Thread safe; touched when counters come and go, not by decisions.</summary>
internal sealed class CounterBudget(long max)
{
    private long _used;

    // A counter that found no room is counted for a moment.
    public long Used => Math.Min(max, Volatile.Read(ref _used));

    public bool TryTake()
    {
        if (Interlocked.Increment(ref _used) <= max)
            return true;
        Interlocked.Decrement(ref _used);
        return false;
    }

    public void Return(int counters) => Interlocked.Add(ref _used, -counters);
}
