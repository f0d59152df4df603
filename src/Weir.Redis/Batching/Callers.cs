using Weir.Resp;

namespace Weir.Redis;

/// <summary>
/// Callers whose answers came together and who go on one after the other on one thread: waking a thread costs more than most of them do. Few enough that another
/// processor finds work too. Reused.
/// </summary>
internal sealed class Callers : IThreadPoolWorkItem
{
    /// <summary>How many may be together at most.</summary>
    public const int Most = 64;

    private readonly DecisionOperation?[] _waiting = new DecisionOperation?[Most];
    private int _count;

    /// <summary>Adds a caller whose answer is set, and lets all go on, on the pool, once they are many.</summary>
    /// <param name="callers">The callers so far, or null.</param>
    /// <param name="operation">What the caller waits for.</param>
    /// <param name="many">How many are many; at most <see cref="Most"/>.</param>
    public static void Add(ref Callers? callers, DecisionOperation operation, int many)
    {
        callers ??= Pool<Callers>.Rent();
        callers._waiting[callers._count++] = operation;
        if (callers._count == many)
            Go(ref callers);
    }

    /// <summary>Lets all go on, on the pool.</summary>
    public static void Go(ref Callers? callers)
    {
        if (callers is not null)
            ThreadPool.UnsafeQueueUserWorkItem(callers, preferLocal: false);
        callers = null;
    }

    /// <summary>Lets all go on, here.</summary>
    public void Execute()
    {
        for (var i = 0; i < _count; i++)
        {
            var operation = _waiting[i]!;
            _waiting[i] = null;
            operation.Release();
        }
        _count = 0;
        Pool<Callers>.Return(this);
    }
}
