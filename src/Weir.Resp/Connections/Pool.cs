using System.Collections.Concurrent;

namespace Weir.Resp;

/// <summary>
/// Keeps objects for reuse: one per thread without any synchronization, the others in a shared queue, and beyond a bound none. Thread safe.
/// </summary>
internal static class Pool<T>
    where T : class, new()
{
    private const int MaxShared = 4096;

    private static readonly ConcurrentQueue<T> Shared = new();
    private static int _shared;

    [ThreadStatic]
    private static T? _own;

    public static T Rent()
    {
        var item = _own;
        if (item is not null)
        {
            _own = null;
            return item;
        }
        if (!Shared.TryDequeue(out item))
            return new T();
        Interlocked.Decrement(ref _shared);
        return item;
    }

    public static void Return(T item)
    {
        if (_own is null)
            _own = item;
        else if (Interlocked.Increment(ref _shared) <= MaxShared)
            Shared.Enqueue(item);
        else
            Interlocked.Decrement(ref _shared);
    }
}
