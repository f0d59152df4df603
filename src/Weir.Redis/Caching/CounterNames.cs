using System.Collections.Concurrent;

namespace Weir.Redis;

/// <summary>
/// What counters are called, on its way to Redis. Listings need names and decisions do not, so they are sent on the side, and no more than so many a second: under a
/// flood of new keys some counters are counted without being listed. Thread safe.
/// </summary>
internal sealed class CounterNames
{
    /// <summary>Names taken between two sendings.</summary>
    public const int Max = 500;

    /// <summary>Names are kept at least this long, so that they are not sent again all the time.</summary>
    public const int LeastClass = 2;

    private const long TryAgainMicros = 1_000_000;

    private readonly ConcurrentQueue<(Rule Rule, CounterId Id, byte[] Label, int Class)> _waiting = new();
    private int _count;

    /// <summary>The class that a rule's names are kept in.</summary>
    public static int ClassOf(Rule rule) => Math.Max(LeastClass, StorageClasses.Of(rule));

    /// <summary>Takes a name to be sent.</summary>
    /// <returns>The instant until which it need not be given again.</returns>
    public long Add(in Charge charge, long nowMicros)
    {
        // A look first, because under a flood of new keys all places are taken nearly always.
        if (Volatile.Read(ref _count) >= Max)
            return nowMicros + TryAgainMicros;
        if (Interlocked.Increment(ref _count) > Max)
        {
            Interlocked.Decrement(ref _count);
            return nowMicros + TryAgainMicros;
        }
        var storageClass = ClassOf(charge.Rule);
        _waiting.Enqueue((charge.Rule, charge.Id, charge.Label.ToArray(), storageClass));
        var generation = StorageClasses.MicrosOf(storageClass);
        return ((nowMicros / generation) + 1) * generation;
    }

    public bool TryTake(out (Rule Rule, CounterId Id, byte[] Label, int Class) name)
    {
        if (!_waiting.TryDequeue(out name))
            return false;
        Interlocked.Decrement(ref _count);
        return true;
    }
}
