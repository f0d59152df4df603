using Weir.Resp;

namespace Weir.Redis;

/// <summary>
/// Callers whose answers came together and who go on one after the other on one thread of the pool: waking a thread costs more than most of them do. Few
/// enough that another processor finds work too. Reused.
/// </summary>
internal sealed class Callers : IThreadPoolWorkItem
{
    private const int Full = 64;

    private readonly DecisionOperation?[] _waiting = new DecisionOperation?[Full];
    private int _count;

    /// <summary>Adds a caller whose answer is set, and lets all go on once they are many.</summary>
    /// <param name="callers">The callers so far, or null.</param>
    /// <param name="operation">What the caller waits for.</param>
    public static void Add(ref Callers? callers, DecisionOperation operation)
    {
        callers ??= Pool<Callers>.Rent();
        callers._waiting[callers._count++] = operation;
        if (callers._count == Full)
            Go(ref callers);
    }

    /// <summary>Lets all go on.</summary>
    public static void Go(ref Callers? callers)
    {
        if (callers is not null)
            ThreadPool.UnsafeQueueUserWorkItem(callers, preferLocal: false);
        callers = null;
    }

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
