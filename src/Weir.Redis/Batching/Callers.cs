using Weir.Resp;

namespace Weir.Redis;

/// <summary>
/// Callers whose answers came together and who go on one after the other: waking a thread costs more than most of them do. Few enough that another processor finds
/// work too. Reused.
/// </summary>
/// <remarks>One thread at a time has it: the batch's, then the one that the pool runs, which hands it over before it lets a caller go on, and touches it no more.</remarks>
internal sealed class Callers : IThreadPoolWorkItem
{
    private const int Most = 64;

    private readonly DecisionOperation?[] _waiting = new DecisionOperation?[Most];
    private int _count;
    private int _next;
    private bool _stayInPlace;

    /// <summary>Adds a caller whose answer is set, and lets all go on, on the pool, once they are many.</summary>
    /// <param name="callers">The callers so far, or null.</param>
    /// <param name="operation">What the caller waits for.</param>
    /// <param name="stayInPlace">Whether they do nothing that blocks. The pool then only gets what would hold up the connection for long; else fewer go together.</param>
    public static void Add(ref Callers? callers, DecisionOperation operation, bool stayInPlace)
    {
        callers ??= Pool<Callers>.Rent();
        callers._stayInPlace = stayInPlace;
        callers._waiting[callers._count++] = operation;
        if (callers._count == (stayInPlace ? Most : Most / 4))
            GoOnPool(ref callers);
    }

    /// <summary>Lets all go on: here, or on the pool where they may block.</summary>
    public static void Go(ref Callers? callers)
    {
        if (callers is { _stayInPlace: true } here)
        {
            callers = null;
            here.GoOnHere();
        }
        else
        {
            GoOnPool(ref callers);
        }
    }

    private static void GoOnPool(ref Callers? callers)
    {
        if (callers is not null)
            ThreadPool.UnsafeQueueUserWorkItem(callers, preferLocal: false);
        callers = null;
    }

    private void GoOnHere()
    {
        while (_next < _count)
            Take().Release();
        Reuse();
    }

    void IThreadPoolWorkItem.Execute()
    {
        if (_stayInPlace)
        {
            GoOnHere();
            return;
        }
        // One that blocks, maybe until another of these has gone on, keeps nobody: another thread goes on with the rest.
        var operation = Take();
        if (_next < _count)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
        else
            Reuse();
        operation.Release();
    }

    private DecisionOperation Take()
    {
        var operation = _waiting[_next]!;
        _waiting[_next++] = null;
        return operation;
    }

    private void Reuse()
    {
        (_count, _next) = (0, 0);
        Pool<Callers>.Return(this);
    }
}
