using System.Threading.Tasks.Sources;

namespace Weir.Redis;

/// <summary>
/// One of the two batches of a shard that may be under way: takes what waits, sends it, answers it, and rests when nothing waits. Whoever brings the first
/// operation wakes it and sends on its own thread, so that someone alone waits for nothing but Redis.
/// </summary>
internal sealed class Pump : IValueTaskSource, IThreadPoolWorkItem
{
    private readonly Shard _shard;
    private readonly Batch _batch;
    private ManualResetValueTaskSourceCore<bool> _wake;

    // Whether its last batch was for more than one caller.
    private bool _hadCompany;

    public Pump(Shard shard, Batch batch) => (_shard, _batch) = (shard, batch);

    /// <summary>What it sends.</summary>
    public Batch Batch => _batch;

    /// <summary>The next resting pump; guarded by the shard's gate.</summary>
    public Pump? NextResting { get; set; }

    public Task Running { get; private set; } = Task.CompletedTask;

    /// <summary>Begins to run; soon it rests. On the pool, so that it does not come back to the caller's synchronization context each time.</summary>
    public void Start() => Running = Task.Run(RunAsync);

    /// <summary>Goes on, on the caller's thread. It is called, or <see cref="WakeSoon"/>, once after each time that it began to rest.</summary>
    public void Wake() => _wake.SetResult(true);

    /// <summary>
    /// Goes on after what is about to be done, which is mostly to read more requests: what they ask goes with the same batch. At once, when callers stay in
    /// place, or when nobody else seems to be there: the pool has nothing to do, and the last batch was for one caller. Never where a synchronization context or a
    /// scheduler would hold the pump, which works for all, on one caller's thread; callers who stay in place have none.
    /// </summary>
    public void WakeSoon()
    {
        if (!_batch.StaysInPlace && (_hadCompany || ThreadPool.PendingWorkItemCount > 0 || SynchronizationContext.Current is not null
            || TaskScheduler.Current != TaskScheduler.Default))
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        else
            Wake();
    }

    void IThreadPoolWorkItem.Execute() => Wake();

    // What they ask next goes with the next batch; sent at once, it would be nearly empty.
    private ValueTask LetCallersGoFirst()
    {
        var turn = new ValueTask(this, _wake.Version);
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return turn;
    }

    private async Task RunAsync()
    {
        while (true)
        {
            switch (_shard.Take(_batch, this))
            {
                case TakeResult.Taken:
                    _hadCompany = _batch.Decisions > 1;
                    try
                    {
                        await _shard.ExchangeAsync(_batch);
                    }
                    catch (Exception e)
                    {
                        // Without pumps nobody would be answered any more.
                        _shard.Fail(_batch, e);
                    }
                    _batch.LetCallersGoOn();
                    if (_hadCompany && !_batch.StaysInPlace)
                        await LetCallersGoFirst();
                    break;
                case TakeResult.Resting:
                    await new ValueTask(this, _wake.Version);
                    break;
                default:
                    return;
            }
        }
    }

    void IValueTaskSource.GetResult(short token)
    {
        _wake.GetResult(token);
        _wake.Reset();
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _wake.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wake.OnCompleted(continuation, state, token, flags);
}

/// <summary>What a pump got.</summary>
internal enum TakeResult
{
    Taken,
    Resting,
    Stopped,
}
