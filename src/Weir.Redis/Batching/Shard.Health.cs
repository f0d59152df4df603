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
                return MayBeDone(reply) ? DegradedReason.Timeout : DegradedReason.Unavailable;
        }
    }

    // Where a reply does not come, Redis may have done it and only its answer was lost.
    private static bool MayBeDone(in RespReply reply) => !reply.HasReply && reply.Failure.Execution == RespExecution.MayHaveExecuted;

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
        var batch = new Batch(_engine.Keys, Index, _engine.Rules, Memory);
        var pulses = 0;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (CanDecide)
                {
                    await PulseAsync();
                    await PayDebtsAsync(batch);
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

    // A node that asks nothing, because it refuses from memory or has no callers, still hears of a new era, lost data and a Redis that is gone or back in time.
    private async Task PulseAsync()
    {
        var askedAt = _engine.Time.GetTimestamp();
        using var reply = await _engine.Client.SendAsync(_lookAtRecord, Slot, ProbeTimeout);
        if (!reply.IsValue)
        {
            _ = Judge(reply);
            return;
        }
        var record = reply.Root().Bytes;
        if (record.Length < 40 || Number(record) != Birth || Number(record[32..]) != _closing)
        {
            BeginResync(LostData);
            return;
        }
        Memory.Notice(new ReplyHeader(ReplyStatus.Done, 0, Birth, Number(record[24..]), 0));
        if (_engine.Time.GetTimestamp() - askedAt <= _timeoutTicks)
            Succeed();
    }

    private static long Number(ReadOnlySpan<byte> bytes) => (long)BinaryPrimitives.ReadDoubleLittleEndian(bytes);
}
