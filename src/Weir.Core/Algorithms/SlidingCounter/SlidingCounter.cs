namespace Weir;

/// <summary>
/// Estimates a sliding window from two counters: this window's count plus the part of the previous one's that the sliding window still covers,
/// as if it had been spread evenly.
/// </summary>
/// <remarks>
/// No exact promise: against the true sliding window the estimate is wrong by at most the previous window's count, and a client that knows the boundaries can
/// pass up to twice the limit, less one, in one window's length. On ordinary traffic the error is a fraction of a percent. The arithmetic itself is exact.
/// The state packs the window's number modulo 2^14 over two counts of 24 bits.
/// Source: the approximation that Cloudflare published in "How we built rate limiting capable of scaling to millions of domains".
/// </remarks>
public readonly struct SlidingCounter : IAlgorithm<ulong>
{
    private const int CountBits = 24;
    private const ulong CountMask = (1UL << CountBits) - 1;
    private const int NumberBits = Modular.WordBits - (2 * CountBits);
    private const ulong NumberMask = (1UL << NumberBits) - 1;

    private readonly record struct Counts(long Start, long Previous, long Current);

    /// <inheritdoc />
    public static ulong Fresh(Rule rule, long nowMicros) => Pack(rule, new Counts(Start(rule, nowMicros), 0, 0));

    /// <inheritdoc />
    public static Decision Decide(Rule rule, in ulong state, long nowMicros, int cost, out ulong next)
    {
        var counts = Read(rule, state, nowMicros);
        var weighted = Weighted(rule, counts, nowMicros);
        var allowed = weighted + ((Int128)cost * rule.WindowMicros) <= (Int128)rule.Permits * rule.WindowMicros;
        next = state;
        if (allowed && cost > 0)
        {
            counts = counts with { Current = counts.Current + cost };
            weighted += (Int128)cost * rule.WindowMicros;
            next = Pack(rule, counts);
        }
        var never = cost > rule.Permits;
        return new Decision
        {
            Outcome = allowed ? Outcome.Allowed : never ? Outcome.NeverFits : Outcome.Refused,
            Rule = rule,
            Remaining = (long)Int128.Max(0, (((Int128)rule.Permits * rule.WindowMicros) - weighted) / rule.WindowMicros),
            ResetMicros = EmptyAt(rule, counts, nowMicros) - nowMicros,
            RetryAfterMicros = allowed || never ? 0 : FitsAt(rule, counts, cost) - nowMicros,
            Stamp = counts.Start,
        };
    }

    /// <inheritdoc />
    public static long Settle(Rule rule, in ulong state, long nowMicros, long cost, long? stamp, long actual, out ulong next)
    {
        var counts = Read(rule, state, nowMicros);
        var inPrevious = actual < cost && stamp == counts.Start - rule.WindowMicros;
        next = state;
        if (actual < cost && stamp is { } start && start != counts.Start && !inPrevious)
            return 0;
        var before = inPrevious ? counts.Previous : counts.Current;
        var after = Math.Clamp(before - cost + actual, 0, (long)CountMask);
        if (after == before)
            return 0;
        next = Pack(rule, inPrevious ? counts with { Previous = after } : counts with { Current = after });
        return before - after;
    }

    /// <inheritdoc />
    public static long Used(Rule rule, in ulong state, long nowMicros)
    {
        var weighted = Weighted(rule, Read(rule, state, nowMicros), nowMicros);
        return (long)((weighted + rule.WindowMicros - 1) / rule.WindowMicros);
    }

    /// <inheritdoc />
    public static long IdleAt(Rule rule, in ulong state, long nowMicros) => EmptyAt(rule, Read(rule, state, nowMicros), nowMicros);

    /// <summary>The state of a window's start with the counts of the window before and its own.</summary>
    internal static ulong StateOf(Rule rule, long start, long previous, long current) => Pack(rule, new Counts(start, previous, current));

    // The estimate in permits × microseconds, so that no division rounds it.
    private static Int128 Weighted(Rule rule, Counts counts, long nowMicros)
    {
        var elapsed = Math.Max(0, nowMicros - counts.Start);
        return ((Int128)counts.Previous * (rule.WindowMicros - elapsed)) + ((Int128)counts.Current * rule.WindowMicros);
    }

    // The first instant at which the estimate leaves room for the cost: within this window while the previous count fades, or in the next
    // while this one does.
    private static long FitsAt(Rule rule, Counts counts, int cost)
    {
        var room = rule.Permits - cost;
        return room >= counts.Current
            ? counts.Start + rule.WindowMicros - (long)((Int128)(room - counts.Current) * rule.WindowMicros / counts.Previous)
            : counts.Start + (2 * rule.WindowMicros) - (long)((Int128)room * rule.WindowMicros / counts.Current);
    }

    private static long EmptyAt(Rule rule, Counts counts, long nowMicros) =>
        counts.Current > 0 ? counts.Start + (2 * rule.WindowMicros)
        : counts.Previous > 0 ? counts.Start + rule.WindowMicros
        : nowMicros;

    private static Counts Read(Rule rule, ulong state, long nowMicros)
    {
        var start = Start(rule, nowMicros);
        var previous = (long)((state >> CountBits) & CountMask);
        var current = (long)(state & CountMask);
        var ahead = Modular.Difference(state >> (2 * CountBits), Number(rule, start), NumberBits);
        return ahead switch
        {
            >= 0 => new Counts(start + (ahead * rule.WindowMicros), previous, current),
            -1 => new Counts(start, current, 0),
            _ => new Counts(start, 0, 0),
        };
    }

    private static long Start(Rule rule, long micros) => micros - (micros % rule.WindowMicros);

    private static ulong Number(Rule rule, long start) => (ulong)(start / rule.WindowMicros) & NumberMask;

    private static ulong Pack(Rule rule, Counts counts) =>
        (Number(rule, counts.Start) << (2 * CountBits)) | ((ulong)counts.Previous << CountBits) | (ulong)counts.Current;
}
