using System.Runtime.CompilerServices;
using Weir.Resp;

namespace Weir.Redis;

/// <summary>
/// The counters that live together in Redis: queues what is asked about them, sends it in batches, and knows whether Redis answers. What someone asks alone goes
/// at once; under load, batches are nearly as large as the number of those that ask at the same time.
/// </summary>
/// <remarks>
/// Threads: callers append under <c>_gate</c>; two pumps take under it. An operation is in the queue, in a pump's batch or with its caller, never in two of
/// these. A charge is sent a second time only when a reply proves that it was not executed.
/// </remarks>
internal sealed partial class Shard : IAsyncDisposable
{
    private const int Pumps = 2;
    private const int MaxAttempts = 4;

    private readonly Lock _gate = new();
    private readonly EngineContext _engine;
    private readonly Pump[] _pumps = new Pump[Pumps];
    private readonly long _timeoutTicks;

    // A question sent so late would be answered too late.
    private readonly long _leastTicks;

    // Guarded by the gate.
    private Operation? _first;
    private Operation? _last;
    private Pump? _resting;
    private int _waiting;
    private bool _isStopped;

    public Shard(EngineContext engine, int index)
    {
        (_engine, Index) = (engine, index);
        Names = new CounterNames();
        Memory = new AnswerMemory(engine.Options.RememberedCounters / engine.Keys.Shards, engine.Time, Names);
        Clock = new ShardClock(engine.Time);
        _timeoutTicks = engine.Ticks(engine.Options.DecisionTimeout);
        _leastTicks = engine.Ticks(TimeSpan.FromMilliseconds(1));
        _lookAtRecord = RespCommand.Create("GET", engine.Keys.Record(index));
        for (var i = 0; i < Pumps; i++)
            _pumps[i] = new Pump(this, new Batch(engine.Keys, index, engine.Rules, Memory) { StaysInPlace = engine.Options.StaysInPlace });
    }

    public int Index { get; }

    public AnswerMemory Memory { get; }

    public CounterNames Names { get; }

    public ShardClock Clock { get; }

    /// <summary>Tests look on through this. Set before anything is asked.</summary>
    public IBatchWitness Witness
    {
        set => Array.ForEach(_pumps, pump => pump.Batch.Witness = value);
    }

    /// <summary>About what the shard's clock shows.</summary>
    public long NowMicros => Clock.NowMicros;

    /// <summary>Where a Cluster keeps it.</summary>
    public int Slot => _engine.Keys.Slots[Index];

    /// <summary>Begins to work.</summary>
    public void Start()
    {
        foreach (var pump in _pumps)
            pump.Start();
        _supervising = Task.Run(SuperviseAsync);
    }

    /// <summary>Stops working. What waits is answered by failure policies.</summary>
    public async ValueTask DisposeAsync()
    {
        Operation? waiting;
        Pump? resting;
        lock (_gate)
        {
            _isStopped = true;
            (waiting, _first, _last, _waiting) = (_first, null, null, 0);
            (resting, _resting) = (_resting, null);
        }
        FailAll(waiting, DegradedReason.Unavailable);
        while (resting is not null)
        {
            var next = resting.NextResting;
            resting.Wake();
            resting = next;
        }
        await _stop.CancelAsync();
        await _supervising;
        foreach (var pump in _pumps)
            await pump.Running;
        _stop.Dispose();
        _attention.Dispose();
        _naming.Dispose();
    }

    /// <summary>Takes an operation, which is answered whatever happens.</summary>
    public void Enqueue(Operation operation, long timestamp)
    {
        if (!CanDecide)
        {
            operation.Fail(WhyNot);
            return;
        }
        operation.Since = timestamp;
        var accepted = false;
        Pump? woken = null;
        lock (_gate)
        {
            if (!_isStopped && _waiting < _engine.Options.MaxWaiting)
            {
                accepted = true;
                AppendLocked(operation);
                woken = _waiting >= CompanyLocked ? TakeRestingLocked() : null;
            }
        }
        if (!accepted)
            operation.Fail(DegradedReason.QueueFull);
        woken?.WakeSoon();
    }

    /// <summary>Fills a pump's batch, or lets the pump rest.</summary>
    public TakeResult Take(Batch batch, Pump pump)
    {
        while (true)
        {
            Operation? late;
            bool begins;
            var result = TakeResult.Taken;
            lock (_gate)
            {
                late = TakeLateLocked();
                var isTime = IsTimeLocked();
                while (isTime && _first is not null && batch.HasRoom)
                    TakeFirstLocked().AddTo(batch);
                begins = !_isGathering && CompanyLocked > 1;
                _isGathering |= begins;
                if (batch.IsEmpty && late is null)
                    result = RestLocked(pump);
            }
            if (begins)
                _engine.Metronome().Begin();
            FailAll(late, DegradedReason.Timeout);
            if (late is null || !batch.IsEmpty)
                return result;
        }
    }

    /// <summary>Answers what is in a batch whose exchange went wrong in a way that nothing here expects.</summary>
    public void Fail(Batch batch, Exception mistake)
    {
        Degrade(DegradedReason.Error, $"the engine failed: {mistake.Message}");
        batch.Fail(DegradedReason.Error, mayBeCharged: true);
    }

    /// <summary>Sends a batch and answers what is in it.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask ExchangeAsync(Batch batch)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var sentAt = _engine.Time.GetTimestamp();
            var left = _timeoutTicks - (sentAt - batch.Since);
            if (left < _leastTicks)
                break;
            batch.LookFor(Volatile.Read(ref _losses), _lookedAfter);
            batch.Prepare(Clock.NowMicros, Clock.NewestMicros, Birth, Clock.Exact is not null);
            using var reply = await _engine.Client.SendAsync(batch, Slot, _engine.Duration(left));
            if (!TryFinish(batch, reply, sentAt))
                return;
        }
        batch.Fail(DegradedReason.Timeout);
    }

    private void AppendLocked(Operation operation)
    {
        operation.Next = null;
        if (_last is null)
            _first = operation;
        else
            _last.Next = operation;
        _last = operation;
        _waiting++;
    }

    private Operation TakeFirstLocked()
    {
        var operation = _first!;
        _first = operation.Next;
        if (_first is null)
            _last = null;
        operation.Next = null;
        _waiting--;
        return operation;
    }

    // Those that have waited so long that their answer would come too late, linked.
    private Operation? TakeLateLocked()
    {
        if (_first is null)
            return null;
        var tooOld = _engine.Time.GetTimestamp() - _timeoutTicks + _leastTicks;
        Operation? late = null;
        while (_first is { } operation && operation.Since < tooOld)
        {
            _ = TakeFirstLocked();
            operation.Next = late;
            late = operation;
        }
        return late;
    }

    private TakeResult RestLocked(Pump pump)
    {
        if (_isStopped)
            return TakeResult.Stopped;
        pump.NextResting = _resting;
        _resting = pump;
        return TakeResult.Resting;
    }

    private static void FailAll(Operation? operation, DegradedReason reason)
    {
        while (operation is not null)
        {
            // Once answered it belongs to its caller.
            var next = operation.Next;
            operation.Next = null;
            operation.Fail(reason);
            operation = next;
        }
    }

    // True when the batch has to be sent again: the reply proves that nothing was done.
    private bool TryFinish(Batch batch, in RespReply reply, long sentAt)
    {
        _engine.Counters.Add(EngineCount.Batches);
        _engine.Counters.Add(EngineCount.Scripts);
        if (reply.IsValue)
            return TryRead(batch, reply, sentAt);
        if (reply.ErrorKind == RespErrorKind.NoScript)
            return batch.WithText = true;
        batch.Fail(Judge(reply), MayBeDone(reply));
        return false;
    }

    private bool TryRead(Batch batch, in RespReply reply, long sentAt)
    {
        batch.WithText = false;
        try
        {
            var bytes = reply.Root().Bytes;
            var reader = new AnswerReader(bytes);
            var header = ReplyHeader.Read(ref reader);
            Clock.Notice(header.NowMicros);
            _lookedAfter = batch.Losses;
            if (header.Status == ReplyStatus.WrongTime)
                return true;
            if (header.Status == ReplyStatus.HintsFirst)
            {
                BeginResync(LostData);
                batch.Fail(DegradedReason.Resync);
                return false;
            }
            _engine.Counters.Add(EngineCount.Decisions, batch.Decisions);
            _engine.Counters.Add(EngineCount.BytesReceived, bytes.Length);
            Memory.Notice(header);
            batch.Complete(ref reader, header, sentAt);
            Succeed();
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException or IndexOutOfRangeException or InvalidOperationException)
        {
            Degrade(DegradedReason.Error, $"the reply of the script cannot be read: {e.Message}");
            batch.Fail(DegradedReason.Error, mayBeCharged: true);
        }
        return false;
    }
}
