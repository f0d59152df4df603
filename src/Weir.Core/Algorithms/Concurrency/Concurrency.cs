namespace Weir;

/// <summary>
/// Guarantees at most <see cref="Rule.Permits"/> held at once. Permits are held by leases, which end when they are released, or
/// <see cref="Rule.Window"/> after they were taken or last renewed, so that a holder that died frees its permits.
/// </summary>
/// <remarks>
/// All leases of a rule run equally long, so the order in which they were taken or renewed is the order in which they end, but for the first leases after
/// a rule's lease time was shortened. A release leaves an empty lease in its place; empty leases are cleared from the front, and from everywhere
/// when most are empty.
/// </remarks>
public readonly struct Concurrency : IAlgorithm<ConcurrencyState>
{
    private const int CompactFrom = 16;

    /// <inheritdoc />
    public static ConcurrencyState Fresh(Rule rule, long nowMicros) => new(default, 0, nowMicros, nowMicros);

    /// <inheritdoc />
    public static Decision Decide(Rule rule, in ConcurrencyState state, long nowMicros, int cost, out ConcurrencyState next)
    {
        var instant = Math.Max(nowMicros, state.NewestMicros);
        next = WithoutEnded(state, instant);
        var never = cost > rule.Permits;
        var allowed = !never && next.Held + cost <= rule.Permits;
        var retryAfter = allowed || never ? 0 : FitsAt(rule, next, cost) - nowMicros;
        if (allowed && cost > 0)
        {
            var id = next.LastId + 1;
            var lease = new Lease(id, instant + rule.WindowMicros, cost);
            next = new ConcurrencyState(Added(next.Leases, lease), next.Held + cost, id, instant);
        }
        return new Decision
        {
            Outcome = allowed ? Outcome.Allowed : never ? Outcome.NeverFits : Outcome.Refused,
            Rule = rule,
            Remaining = Math.Max(0, rule.Permits - next.Held),
            ResetMicros = EmptyAt(next, nowMicros) - nowMicros,
            RetryAfterMicros = retryAfter,
            Stamp = allowed && cost > 0 ? next.LastId : 0,
        };
    }

    /// <inheritdoc />
    /// <remarks>Shrinks the stamp's lease, or without a stamp the leases that end first. A lease never grows: take another for more.</remarks>
    public static long Settle(Rule rule, in ConcurrencyState state, long nowMicros, long cost, long? stamp, long actual, out ConcurrencyState next)
    {
        next = WithoutEnded(state, Math.Max(nowMicros, state.NewestMicros));
        var wanted = Math.Max(0, cost - actual);
        var left = wanted;
        for (var i = 0; i < next.Leases.Count && left > 0; i++)
        {
            ref var lease = ref next.Leases[i];
            if (stamp is { } id && lease.Id != id)
                continue;
            var back = Math.Min(left, lease.Permits);
            lease.Permits -= back;
            left -= back;
        }
        next = Compacted(next with { Held = next.Held - wanted + left });
        return wanted - left;
    }

    /// <summary>Extends a lease to a whole lease time from now.</summary>
    /// <returns>False when the lease has ended, was released or never was.</returns>
    public static bool Renew(Rule rule, in ConcurrencyState state, long nowMicros, long stamp, out ConcurrencyState next)
    {
        var instant = Math.Max(nowMicros, state.NewestMicros);
        next = WithoutEnded(state, instant);
        for (var i = 0; i < next.Leases.Count; i++)
        {
            ref var lease = ref next.Leases[i];
            if (lease.Id != stamp || lease.Permits == 0)
                continue;
            var renewed = lease with { EndMicros = instant + rule.WindowMicros };
            lease.Permits = 0;
            next = Compacted(next with { Leases = Added(next.Leases, renewed) });
            return true;
        }
        return false;
    }

    /// <inheritdoc />
    public static long Used(Rule rule, in ConcurrencyState state, long nowMicros) =>
        WithoutEnded(state, Math.Max(nowMicros, state.NewestMicros)).Held;

    /// <inheritdoc />
    /// <remarks>A counter made before the newest lease's number, which is an instant, would use that number again.</remarks>
    public static long IdleAt(Rule rule, in ConcurrencyState state, long nowMicros) => Math.Max(EmptyAt(state, nowMicros), state.LastId);

    private static long EmptyAt(in ConcurrencyState state, long nowMicros)
    {
        for (var i = state.Leases.Count - 1; i >= 0; i--)
        {
            if (state.Leases[i].Permits > 0)
                return Math.Max(nowMicros, state.Leases[i].EndMicros);
        }
        return nowMicros;
    }

    private static ConcurrencyState WithoutEnded(in ConcurrencyState state, long instant)
    {
        var leases = state.Leases;
        var held = state.Held;
        var ended = 0;
        while (ended < leases.Count && (leases[ended].EndMicros <= instant || leases[ended].Permits == 0))
            held -= leases[ended++].Permits;
        return new ConcurrencyState(leases.DropFirst(ended), held, state.LastId, instant);
    }

    private static Ring<Lease> Added(Ring<Lease> leases, Lease lease)
    {
        if (leases.Count == 0 || leases[leases.Count - 1].EndMicros <= lease.EndMicros)
            return leases.Append(lease);
        // The lease time was shortened: a copy, because the ring itself must stay readable.
        var ordered = default(Ring<Lease>);
        var at = 0;
        while (leases[at].EndMicros <= lease.EndMicros)
            ordered = ordered.Append(leases[at++]);
        ordered = ordered.Append(lease);
        while (at < leases.Count)
            ordered = ordered.Append(leases[at++]);
        return ordered;
    }

    // Only what empties leases compacts: a refused request, whose next state is thrown away, would do it over and over.
    private static ConcurrencyState Compacted(in ConcurrencyState state)
    {
        if (state.Leases.Count < CompactFrom || state.Leases.Count <= 4 * state.Held)
            return state;
        var compact = default(Ring<Lease>);
        for (var i = 0; i < state.Leases.Count; i++)
        {
            if (state.Leases[i].Permits > 0)
                compact = compact.Append(state.Leases[i]);
        }
        return state with { Leases = compact };
    }

    private static long FitsAt(Rule rule, in ConcurrencyState state, int cost)
    {
        var held = state.Held;
        var index = 0;
        while (held + cost > rule.Permits)
            held -= state.Leases[index++].Permits;
        return state.Leases[index - 1].EndMicros;
    }
}
