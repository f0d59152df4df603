using System.Buffers.Binary;
using Weir.Resp;

namespace Weir.Redis;

/// <content>
/// Whether Redis answers. Healthy; suspect after a question was not answered in time; degraded when the connection is gone, Redis refuses, or three answers in a
/// row did not come: failure policies decide then, at once, and the supervisor probes. When Redis is back, and has lost or may have lost data, nodes
/// tell it what they know (resync) before decisions go on.
/// </content>
internal sealed partial class Shard
{
    private const int MissesToDegrade = 3;
    private static readonly TimeSpan PulseInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromMilliseconds(250);

    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _attention = new(0, 1);
    private readonly RespCommand _lookAtRecord;
    private Task _supervising = Task.CompletedTask;
    private volatile EngineStatus _status = new(EngineHealth.Starting, "Redis has not been reached yet");
    private volatile DegradedReason _whyNot = DegradedReason.Unavailable;
    private long _birth;
    private long _lastReply;
    private int _misses;

    public EngineStatus Status => _status;

    /// <summary>Names the data that this node knows; 0: none yet.</summary>
    public long Birth => Volatile.Read(ref _birth);

    /// <summary>Counters at the last look: those of the present generations and of the ones before, some of which are idle.</summary>
    public long Counters { get; private set; }

    private bool CanDecide => _status.Health is EngineHealth.Healthy or EngineHealth.Suspect;

    private DegradedReason WhyNot => _whyNot;

    private void Succeed()
    {
        if (Volatile.Read(ref _misses) != 0)
            Volatile.Write(ref _misses, 0);
        if (_status.Health == EngineHealth.Suspect)
            Change(from: EngineHealth.Suspect, new EngineStatus(EngineHealth.Healthy, ""));
    }

    // What a reply that is no answer means for the batch, and for the shard.
    private DegradedReason Judge(in RespReply reply)
    {
        if (reply.HasReply)
        {
            Degrade(DegradedReason.Error, $"Redis refuses: {reply.ErrorMessage}");
            return DegradedReason.Error;
        }
        switch (reply.Failure.Cause)
        {
            case RespCause.TimedOut:
                Miss();
                return DegradedReason.Timeout;
            case RespCause.QueueFull:
                return DegradedReason.QueueFull;
            default:
                Degrade(DegradedReason.Unavailable, ReasonOf(reply.Failure));
                return DegradedReason.Unavailable;
        }
    }

    // That there is no connection says less than why there is none.
    private string ReasonOf(RespFailure failure) =>
        failure.Cause == RespCause.NotConnected && _engine.Client.State.Reason is { } reason ? reason.Message : failure.Message;

    private void Miss()
    {
        if (Interlocked.Increment(ref _misses) >= MissesToDegrade)
            Degrade(DegradedReason.Timeout, $"Redis has not answered {MissesToDegrade} times in a row within {_engine.Options.DecisionTimeout.TotalMilliseconds:0.#} ms");
        else
            Change(from: EngineHealth.Healthy, new EngineStatus(EngineHealth.Suspect, "Redis did not answer in time"));
    }

    private void Degrade(DegradedReason why, string reason)
    {
        _whyNot = why == DegradedReason.Timeout ? DegradedReason.Unavailable : why;
        if (Change(from: null, new EngineStatus(EngineHealth.Degraded, reason)))
            Attend();
    }

    private void BeginResync(string reason)
    {
        _whyNot = DegradedReason.Resync;
        if (Change(from: null, new EngineStatus(EngineHealth.Resync, reason)))
            Attend();
    }

    private bool Change(EngineHealth? from, EngineStatus to)
    {
        lock (_attention)
        {
            if (_status.Health == to.Health || (from is { } only && _status.Health != only))
                return false;
            _status = to;
        }
        _engine.HealthChanged();
        return true;
    }

    private void Attend()
    {
        lock (_attention)
        {
            if (_attention.CurrentCount == 0)
                _attention.Release();
        }
    }

    private async Task SuperviseAsync()
    {
        var batch = NewBatch();
        var pulses = 0;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (CanDecide)
                {
                    await PulseAsync();
                    await SendNamesAsync();
                    if (pulses++ % 8 == 0)
                        await CountAsync();
                    await _attention.WaitAsync(PulseInterval, _stop.Token);
                }
                else if (!await TryRecoverAsync(batch))
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(30, 100)), _stop.Token);
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e)
            {
                Degrade(DegradedReason.Error, e.Message);
                await Task.Delay(PulseInterval, CancellationToken.None);
            }
        }
    }

    // A node that asks nothing, because it refuses from memory or has no callers, still hears of a new era, lost data and a Redis that is gone.
    private async Task PulseAsync()
    {
        using var reply = await _engine.Client.SendAsync(_lookAtRecord, Slot, ProbeTimeout);
        if (!reply.IsValue)
        {
            _ = Judge(reply);
            return;
        }
        var record = reply.Root().Bytes;
        if (record.Length < 40 || Number(record) != Birth)
        {
            BeginResync("Redis has lost data, and nodes are telling it what they know");
            return;
        }
        Memory.Notice(new ReplyHeader(ReplyStatus.Done, 0, Birth, Number(record[24..]), 0));
    }

    private static long Number(ReadOnlySpan<byte> bytes) => (long)BinaryPrimitives.ReadDoubleLittleEndian(bytes);

    private async Task<bool> TryRecoverAsync(Batch batch)
    {
        batch.Clear();
        batch.LooksAtServer = true;
        var header = await ProbeAsync(batch);
        batch.LooksAtServer = false;
        if (header is not { } first)
            return false;
        var known = Birth;
        var isClosed = first.OpenAtMicros > first.NowMicros;
        Volatile.Write(ref _birth, first.Birth);
        if (known != 0 && (isClosed || first.Birth != known))
        {
            BeginResync("Redis has lost data or moved to another server, and nodes are telling it what they know");
            _engine.Counters.Add(EngineCount.Resyncs);
            Memory.BeginEra();
            if (!await SendHintsAsync(batch))
                return false;
        }
        if (isClosed)
            await Task.Delay(TimeSpan.FromMicroseconds(Math.Max(0, first.OpenAtMicros - Clock.NowMicros) + 1_000), _stop.Token);
        Volatile.Write(ref _misses, 0);
        Change(from: null, new EngineStatus(EngineHealth.Healthy, ""));
        ChargeDebts();
        return true;
    }

    private async Task<bool> SendHintsAsync(Batch batch)
    {
        for (var from = 0; from >= 0;)
        {
            batch.Clear();
            from = Memory.AddHints(batch, from);
            if (!batch.IsEmpty && await ProbeAsync(batch) is null)
                return false;
        }
        batch.Clear();
        return true;
    }

    // Sends a batch that nobody waits for. Null: it was not done, and the status says why.
    private async Task<ReplyHeader?> ProbeAsync(Batch batch)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            batch.Prepare(Clock.NowMicros, Clock.NewestMicros, Birth, Clock.Exact is not null);
            using var reply = await _engine.Client.SendAsync(batch, Slot, ProbeTimeout);
            _engine.Counters.Add(EngineCount.Scripts);
            if (reply.ErrorKind == RespErrorKind.NoScript)
            {
                batch.WithText = true;
                continue;
            }
            batch.WithText = false;
            if (!reply.IsValue)
            {
                Describe(reply);
                return null;
            }
            var reader = new AnswerReader(reply.Root().Bytes);
            var header = ReplyHeader.Read(ref reader);
            Clock.Notice(header.NowMicros);
            if (header.Status == ReplyStatus.Done)
                return header;
        }
        return null;
    }

    // The state stays; what is said about it is kept up to date.
    private void Describe(in RespReply reply)
    {
        var reason = reply.HasReply ? $"Redis refuses: {reply.ErrorMessage}" : ReasonOf(reply.Failure);
        lock (_attention)
            _status = new EngineStatus(_status.Health == EngineHealth.Starting ? EngineHealth.Starting : EngineHealth.Degraded, reason);
    }

    // What was admitted from local shares counts from now on for everybody.
    private void ChargeDebts()
    {
        foreach (var (charge, permits) in _engine.Shares().TakeDebts(id => _engine.Keys.ShardOf(id) == Index))
        {
            var correction = new CorrectionOperation(OperationKind.Settle, charge, null, permits);
            // If it fails, the outage goes on, and the debt is lost to the benefit of callers, within the policy's bound.
            _ = correction.Task.ContinueWith(static t => _ = t.Exception, TaskScheduler.Default);
            Enqueue(correction, _engine.Time.GetTimestamp());
        }
    }
}
