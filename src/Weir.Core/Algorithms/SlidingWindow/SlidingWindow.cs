namespace Weir;

/// <summary>
/// The exact log: remembers when permits were taken and allows what keeps every interval of length <see cref="Rule.Window"/> at or below
/// <see cref="Rule.Permits"/>. No error. A permit taken at s comes back at s + window, not a microsecond earlier.
/// </summary>
/// <remarks>
/// Costs 8 bytes for every admitted request in the window, in a ring that grows by doubling.
/// </remarks>
public readonly struct SlidingWindow : IAlgorithm<SlidingWindowState>
{
    private const int PermitBits = 19;
    private const int InstantBits = 64 - PermitBits;
    private const ulong PermitMask = (1UL << PermitBits) - 1;
    private const ulong InstantMask = (1UL << InstantBits) - 1;
    private const int CompactFrom = 16;

    /// <inheritdoc />
    public static SlidingWindowState Fresh(Rule rule, long nowMicros) => default;

    /// <inheritdoc />
    public static Decision Decide(Rule rule, in SlidingWindowState state, long nowMicros, int cost, out SlidingWindowState next)
    {
        var instant = Math.Max(nowMicros, state.NewestMicros);
        next = WithoutExpired(rule, state, instant);
        var never = cost > rule.Permits;
        if (never || next.Sum + cost > rule.Permits)
        {
            return new Decision
            {
                Outcome = never ? Outcome.NeverFits : Outcome.Refused,
                Rule = rule,
                Remaining = Math.Max(0, rule.Permits - next.Sum),
                ResetMicros = EmptyAt(rule, next, nowMicros) - nowMicros,
                RetryAfterMicros = never ? 0 : FitsAt(rule, next, cost) - nowMicros,
            };
        }
        if (cost > 0)
            next = Take(next, instant, cost);
        return new Decision
        {
            Outcome = Outcome.Allowed,
            Rule = rule,
            Remaining = rule.Permits - next.Sum,
            ResetMicros = EmptyAt(rule, next, nowMicros) - nowMicros,
            Stamp = instant,
        };
    }

    /// <inheritdoc />
    /// <remarks>
    /// With a stamp the very entry is corrected. Without, the oldest permits are given back: what remains is then never older than the truth,
    /// so the promise holds as long as the charge was still inside the window. Debt is remembered up to one further limit.
    /// </remarks>
    public static long Settle(Rule rule, in SlidingWindowState state, long nowMicros, long cost, long? stamp, long actual, out SlidingWindowState next)
    {
        var instant = Math.Max(nowMicros, state.NewestMicros);
        next = WithoutExpired(rule, state, instant);
        var permits = cost - actual;
        if (permits < 0)
        {
            var debt = Math.Clamp(-permits, 0, Math.Max(0, (2 * rule.Permits) - next.Sum));
            next = debt == 0 ? next : Take(next, instant, debt);
            return -debt;
        }
        var given = permits == 0 ? 0 : GiveBack(next, stamp, permits);
        next = Compacted(next with { Sum = next.Sum - given });
        return given;
    }

    /// <inheritdoc />
    public static long Used(Rule rule, in SlidingWindowState state, long nowMicros) =>
        WithoutExpired(rule, state, Math.Max(nowMicros, state.NewestMicros)).Sum;

    /// <inheritdoc />
    public static long IdleAt(Rule rule, in SlidingWindowState state, long nowMicros) => EmptyAt(rule, state, nowMicros);

    private static long EmptyAt(Rule rule, in SlidingWindowState state, long nowMicros) =>
        state.Taken.Count == 0 ? nowMicros : Math.Max(nowMicros, Instant(state, state.Taken[state.Taken.Count - 1]) + rule.WindowMicros);

    private static SlidingWindowState WithoutExpired(Rule rule, in SlidingWindowState state, long instant)
    {
        var taken = state.Taken;
        if (taken.Count == 0)
            return state with { NewestMicros = instant };
        if (instant - state.NewestMicros >= rule.WindowMicros)
            return new SlidingWindowState(taken.DropFirst(taken.Count), 0, instant);
        var horizon = instant - rule.WindowMicros;
        var sum = state.Sum;
        var expired = 0;
        while (expired < taken.Count && Instant(state, taken[expired]) <= horizon)
            sum -= Permits(taken[expired++]);
        return new SlidingWindowState(taken.DropFirst(expired), sum, instant);
    }

    private static SlidingWindowState Take(in SlidingWindowState state, long instant, long permits)
    {
        var taken = state.Taken;
        for (var left = permits; left > 0; left -= (long)PermitMask)
            taken = taken.Append((((ulong)instant & InstantMask) << PermitBits) | (ulong)Math.Min(left, (long)PermitMask));
        return new SlidingWindowState(taken, state.Sum + permits, instant);
    }

    // Corrects entries in place: the state is used once, so nobody reads the old value afterwards.
    private static long GiveBack(in SlidingWindowState state, long? stamp, long permits)
    {
        var taken = state.Taken;
        var left = permits;
        for (var i = 0; i < taken.Count && left > 0; i++)
        {
            if (stamp is { } instant && Instant(state, taken[i]) != instant)
                continue;
            var back = Math.Min(left, Permits(taken[i]));
            taken[i] -= (ulong)back;
            left -= back;
        }
        return permits - left;
    }

    // Entries that gave everything back would tell a reset too late at the end of the ring, and pile up inside it when much is taken and given back.
    private static SlidingWindowState Compacted(in SlidingWindowState state)
    {
        var taken = state.Taken;
        var empty = 0;
        while (empty < taken.Count && Permits(taken[taken.Count - 1 - empty]) == 0)
            empty++;
        taken = taken.DropLast(empty);
        if (taken.Count < CompactFrom || taken.Count <= 2 * state.Sum)
            return state with { Taken = taken };
        var compact = default(Ring<ulong>);
        for (var i = 0; i < taken.Count; i++)
        {
            if (Permits(taken[i]) > 0)
                compact = compact.Append(taken[i]);
        }
        return state with { Taken = compact };
    }

    // The first instant at which enough of the oldest permits have come back.
    private static long FitsAt(Rule rule, in SlidingWindowState state, int cost)
    {
        var sum = state.Sum;
        var index = 0;
        while (sum + cost > rule.Permits)
            sum -= Permits(state.Taken[index++]);
        return Instant(state, state.Taken[index - 1]) + rule.WindowMicros;
    }

    private static long Instant(in SlidingWindowState state, ulong entry) =>
        state.NewestMicros - (long)(((ulong)state.NewestMicros - (entry >> PermitBits)) & InstantMask);

    private static long Permits(ulong entry) => (long)(entry & PermitMask);
}
