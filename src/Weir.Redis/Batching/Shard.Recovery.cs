using Weir.Resp;

namespace Weir.Redis;

/// <content>
/// How a shard comes back: a probe that is answered in time; hints, when Redis has lost data or moved; what local shares admitted meanwhile; and only then decisions.
/// </content>
internal sealed partial class Shard
{
    private const string LostData = "Redis has lost data or moved to another server, and nodes are telling it what they know";
    private static readonly TimeSpan RestStep = TimeSpan.FromMilliseconds(1);

    // By so much timers may fire too early. To a decision that comes before it has opened, the shard says that it lacks hints, and all of this begins again.
    private static readonly TimeSpan TimerSlack = TimeSpan.FromMilliseconds(5);

    // The instant until which the data were last closed when this node sent its hints: another one means that hints are missing.
    private long _closing;

    // Connections lost so far, and those that had been lost when the script last looked which server it runs on.
    private int _losses;
    private int _lookedAfter = -1;

    private int _refusals;

    private readonly record struct Probed(ReplyHeader Header, bool IsDone, bool MayBeDone, bool IsAway = false);

    /// <summary>Whether Redis was asked: it decides now, or did not want to.</summary>
    public bool WasAsked => CanDecide || Volatile.Read(ref _refusals) > 0;

    /// <summary>A connection was lost: the next one may lead to another server, or to other data.</summary>
    public void NoticeLoss() => Interlocked.Increment(ref _losses);

    private async Task<bool> TryRecoverAsync(Batch batch)
    {
        batch.Clear();
        batch.LookFor(Volatile.Read(ref _losses), -1);
        var askedAt = _engine.Time.GetTimestamp();
        var probe = await ProbeAsync(batch);
        if (!probe.IsDone || IsTooSlow(_engine.Time.GetTimestamp() - askedAt))
        {
            if (!probe.IsAway)
                Interlocked.Increment(ref _refusals);
            return false;
        }
        _lookedAfter = batch.Losses;
        var first = probe.Header;
        var isClosed = first.OpenAtMicros > first.NowMicros;
        if (Birth != 0 && (first.Birth != Birth || first.OpenAtMicros != _closing))
        {
            BeginResync(LostData);
            _engine.Counters.Add(EngineCount.Resyncs);
            Memory.BeginEra();
            await RestAsync();
            if (!await SendHintsAsync(batch))
                return false;
        }
        Volatile.Write(ref _birth, first.Birth);
        _closing = first.OpenAtMicros;
        if (isClosed)
            await Task.Delay(TimeSpan.FromMicroseconds(Math.Max(0, first.OpenAtMicros - Clock.NowMicros)) + TimerSlack, _stop.Token);
        if (!await PayDebtsAsync(batch))
            return false;
        Volatile.Write(ref _misses, 0);
        Change(from: null, new EngineStatus(EngineHealth.Healthy, ""));
        return true;
    }

    // Going on with a Redis that answers too late would charge callers who no longer wait. The first probe of a process takes longer.
    private bool IsTooSlow(long ticks)
    {
        if (ticks <= _timeoutTicks || _lookedAfter < 0)
            return false;
        var (took, may) = (_engine.Duration(ticks).TotalMilliseconds, _engine.Options.DecisionTimeout.TotalMilliseconds);
        Describe(DegradedReason.Unavailable, $"Redis answers after {took:0.#} ms, and decisions may wait {may:0.#} ms");
        return true;
    }

    // Answers of batches that are still under way belong to what this node knows.
    private async Task RestAsync()
    {
        var since = _engine.Time.GetTimestamp();
        while (!AllRest() && _engine.Time.GetTimestamp() - since < Math.Min(_timeoutTicks, _engine.Ticks(ProbeTimeout)))
            await Task.Delay(RestStep, _stop.Token);
    }

    private bool AllRest()
    {
        lock (_gate)
        {
            var resting = 0;
            for (var pump = _resting; pump is not null; pump = pump.NextResting)
                resting++;
            return resting == Pumps;
        }
    }

    private async Task<bool> SendHintsAsync(Batch batch)
    {
        for (var from = 0; from >= 0;)
        {
            batch.Clear();
            from = Memory.AddHints(batch, from, NowMicros);
            if (!batch.IsEmpty && !(await ProbeAsync(batch)).IsDone)
                return false;
        }
        batch.Clear();
        return true;
    }

    // What was admitted from local shares counts from now on for everybody. Paid at once, by batches of their own, so that callers wait behind no more than one.
    private async Task<bool> PayDebtsAsync(Batch batch)
    {
        if (!_engine.Shares().HasDebts)
            return true;
        var debts = _engine.Shares().TakeDebts(id => _engine.Keys.ShardOf(id) == Index);
        for (var at = 0; at < debts.Count;)
        {
            batch.Clear();
            var first = at;
            while (at < debts.Count && batch.HasRoom)
                batch.AddDebt(debts[at].Charge, debts[at++].Permits);
            var probe = await ProbeAsync(batch);
            batch.Clear();
            if (probe.IsDone)
                continue;
            // What may have been charged is not charged again, to the benefit of callers and within the policy's bound.
            for (var i = probe.MayBeDone ? at : first; i < debts.Count; i++)
                _engine.Shares().PutBack(debts[i].Charge, debts[i].Permits);
            return false;
        }
        return true;
    }

    // Sends a batch that nobody waits for. When it is not done, the status says why.
    private async Task<Probed> ProbeAsync(Batch batch)
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
                if (reply.HasReply)
                    Describe(DegradedReason.Error, $"Redis refuses: {reply.ErrorMessage}");
                else
                    Describe(DegradedReason.Unavailable, ReasonOf(reply.Failure));
                return new Probed(default, false, MayBeDone(reply), !reply.HasReply && reply.Failure.Cause == RespCause.NotConnected);
            }
            var reader = new AnswerReader(reply.Root().Bytes);
            var header = ReplyHeader.Read(ref reader);
            Clock.Notice(header.NowMicros);
            if (header.Status == ReplyStatus.Done)
                return new Probed(header, true, true);
        }
        return default;
    }

    // A state that does not decide stays; what is said about it is kept up to date.
    private void Describe(DegradedReason why, string reason)
    {
        if (CanDecide)
        {
            Degrade(why, reason);
            return;
        }
        lock (_attention)
            _status = new EngineStatus(_status.Health == EngineHealth.Starting ? EngineHealth.Starting : EngineHealth.Degraded, reason);
    }
}
