namespace Weir.AspNetCore;

/// <summary>Decides in this process, by counters in its memory or in Redis.</summary>
/// <remarks>A decision that the memory engine makes allocates nothing, and completes before the call returns.</remarks>
internal class EngineBackend(ILimiter limiter, CounterHasher hasher) : Backend
{
    /// <summary>What was charged for a reservation or by a check.</summary>
    internal sealed class Taken(Charge[] charges, long[] stamps)
    {
        private int _ended;

        public Charge[] Charges => charges;

        public long[] Stamps => stamps;

        public bool HasEnded => Volatile.Read(ref _ended) != 0;

        /// <summary>Whether the caller is the one to settle it: what was settled must not be settled again.</summary>
        public bool TryEnd() => Interlocked.Exchange(ref _ended, 1) == 0;
    }

    // Exchanged as one: what was hashed under one seed is of no use under another.
    private volatile CounterNames _names = new(hasher);

    public ILimiter Limiter => limiter;

    /// <summary>Names counters by another hasher from now on.</summary>
    public void UseHasher(CounterHasher other) => _names = new CounterNames(other);

    public override ValueTask<LimitResult> CheckAsync(PendingCheck check)
    {
        if (check.Count > 1 || check.Entries[0].Limit.Rule is not { Shadow: false })
            return CheckManyAsync(check);
        var deciding = limiter.DecideAsync(ChargeOf(check, check.Entries[0]));
        if (!deciding.IsCompletedSuccessfully)
            return FinishAsync(check, deciding);
        var result = Result(check, deciding.Result);
        check.Release();
        return new(result);
    }

    public override async ValueTask<LimitReservation> ReserveAsync(PendingCheck check, TimeSpan timeToLive)
    {
        Fill(check);
        var binding = await limiter.DecideAsync(check.Charges.AsMemory(0, check.Count), check.Decisions.AsMemory(0, check.Count));
        var result = ResultOf(check, binding);
        if (!binding.IsAllowed)
            return new LimitReservation(result, null, TimeSpan.Zero);
        var taken = TakenOf(check, static entry => !entry.IsFinal || entry.Limit.Rule!.Algorithm == AlgorithmKind.Concurrency);
        var leases = taken.Charges.Where(static c => c.Rule.Algorithm == AlgorithmKind.Concurrency).Select(static c => c.Rule.Window);
        // Nothing ends here but leases: the process that knows of the reservation is the one that settles it.
        return new LimitReservation(result, taken, leases.Append(timeToLive).Min());
    }

    public override async ValueTask<bool> CommitAsync(LimitReservation reservation, int? actual)
    {
        if (reservation.Taken is not Taken taken)
            return true;
        if (!taken.TryEnd())
            return false;
        var isDone = true;
        for (var i = 0; i < taken.Charges.Length; i++)
        {
            var isLease = taken.Charges[i].Rule.Algorithm == AlgorithmKind.Concurrency;
            if (isLease || actual is not null)
                isDone &= await TrySettleAsync(taken.Charges[i], taken.Stamps[i], isLease ? 0 : actual!.Value) is not null;
        }
        return isDone;
    }

    public override async ValueTask<bool> RenewAsync(LimitReservation reservation)
    {
        if (reservation.Taken is not Taken taken)
            return reservation.IsAllowed;
        if (taken.HasEnded)
            return false;
        var holds = true;
        for (var i = 0; i < taken.Charges.Length; i++)
        {
            if (taken.Charges[i].Rule.Algorithm == AlgorithmKind.Concurrency)
                holds &= await TryRenewAsync(taken.Charges[i], taken.Stamps[i]);
        }
        return holds;
    }

    public override async ValueTask<long> RefundAsync(LimitReceipt receipt)
    {
        if (receipt.Taken is not Taken taken || !taken.TryEnd())
            return 0;
        var refunded = 0L;
        for (var i = 0; i < taken.Charges.Length; i++)
            refunded = Math.Max(refunded, await TrySettleAsync(taken.Charges[i], taken.Stamps[i], 0) ?? 0);
        return refunded;
    }

    public override ValueTask DisposeAsync()
    {
        (limiter as IDisposable)?.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <returns>Null when nobody could be asked.</returns>
    protected virtual async ValueTask<long?> TrySettleAsync(Charge charge, long stamp, int actual) => await limiter.SettleAsync(charge, stamp, actual);

    /// <returns>False also when nobody could be asked.</returns>
    protected virtual ValueTask<bool> TryRenewAsync(Charge charge, long stamp) => limiter.RenewAsync(charge, stamp);

    private static bool IsTaken(in Decision decision) => decision.IsAllowed && decision.Source != DecisionSource.Degraded;

    private Charge ChargeOf(PendingCheck check, in PendingCheck.Entry entry)
    {
        var (names, label) = (_names, check.LabelOf(entry));
        var rule = entry.Limit.Rule ?? throw new WeirException($"Limit '{entry.Limit.Name}' is one of the nodes' rules, and there are no nodes. Use nodes, or say its numbers here.");
        return new Charge(rule, names.IdOf(rule, label.Span), entry.Cost, label);
    }

    private async ValueTask<LimitResult> FinishAsync(PendingCheck check, ValueTask<Decision> deciding)
    {
        try
        {
            return Result(check, await deciding);
        }
        finally
        {
            check.Release();
        }
    }

    private async ValueTask<LimitResult> CheckManyAsync(PendingCheck check)
    {
        try
        {
            Fill(check);
            var binding = await limiter.DecideAsync(check.Charges.AsMemory(0, check.Count), check.Decisions.AsMemory(0, check.Count));
            var result = ResultOf(check, binding);
            return check.Asked is { } asked && binding.IsAllowed ? result with { Receipt = new LimitReceipt(asked, TakenOf(check, static _ => true)) } : result;
        }
        finally
        {
            check.Release();
        }
    }

    private void Fill(PendingCheck check)
    {
        for (var i = 0; i < check.Count; i++)
            check.Charges[i] = ChargeOf(check, check.Entries[i]);
    }

    // What was taken outlives the check, whose memory holds the labels.
    private static Taken TakenOf(PendingCheck check, Func<PendingCheck.Entry, bool> which)
    {
        var places = Enumerable.Range(0, check.Count).Where(i => IsTaken(check.Decisions[i]) && which(check.Entries[i])).ToArray();
        return new Taken(
            [.. places.Select(i => check.Charges[i] with { Label = check.Charges[i].Label.ToArray() })], [.. places.Select(i => check.Decisions[i].Stamp)]);
    }

    private LimitResult Result(PendingCheck check, in Decision decision)
    {
        var result = ResultOf(check, decision);
        if (check.Asked is not { } asked || !IsTaken(decision))
            return result;
        var charge = ChargeOf(check, check.Entries[0]);
        return result with { Receipt = new LimitReceipt(asked, new Taken([charge with { Label = charge.Label.ToArray() }], [decision.Stamp])) };
    }

    private static LimitResult ResultOf(PendingCheck check, in Decision decision) => new()
    {
        Outcome = decision.Outcome,
        Source = decision.Source,
        Remaining = decision.Remaining,
        Reset = decision.Reset,
        RetryAfter = decision.RetryAfter,
        Facts = FactsOf(check, decision.Rule),
    };

    private static LimitFacts? FactsOf(PendingCheck check, Rule? rule)
    {
        for (var i = 0; i < check.Count && rule is not null; i++)
        {
            if (ReferenceEquals(check.Entries[i].Limit.Rule, rule))
                return check.Entries[i].Limit.Facts;
        }
        return rule is null ? null : LimitFacts.Of(rule);
    }
}
