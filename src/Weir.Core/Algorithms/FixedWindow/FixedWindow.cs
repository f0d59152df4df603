namespace Weir;

/// <summary>
/// Counts per window, windows aligned to 1970 or to the calendar. Guarantees at most <see cref="Rule.Permits"/> per window; across a boundary
/// twice as many can pass within one window's length.
/// </summary>
/// <remarks>
/// The state packs the window's number modulo 2^30 (its first minute, for calendar windows) over a count of 32 bits. Refused requests are not counted.
/// </remarks>
public readonly struct FixedWindow : IAlgorithm<ulong>
{
    private const int CountBits = 32;
    private const int NumberBits = Modular.WordBits - CountBits;
    private const ulong NumberMask = (1UL << NumberBits) - 1;
    private const long MicrosPerMinute = 60_000_000;

    private readonly record struct Window(long Start, long End, long Count);

    /// <inheritdoc />
    public static ulong Fresh(Rule rule, long nowMicros) => Pack(rule, Bounds(rule, nowMicros).Start, 0);

    /// <inheritdoc />
    public static Decision Decide(Rule rule, in ulong state, long nowMicros, int cost, out ulong next)
    {
        var window = Read(rule, state, nowMicros);
        var untilEnd = window.End - nowMicros;
        var allowed = window.Count + cost <= rule.Permits;
        var used = allowed ? window.Count + cost : window.Count;
        next = allowed && cost > 0 ? Pack(rule, window.Start, used) : state;
        var never = cost > rule.Permits;
        return new Decision
        {
            Outcome = allowed ? Outcome.Allowed : never ? Outcome.NeverFits : Outcome.Refused,
            Rule = rule,
            Remaining = Math.Max(0, rule.Permits - used),
            ResetMicros = used == 0 ? 0 : untilEnd,
            RetryAfterMicros = allowed || never ? 0 : untilEnd,
            Stamp = window.Start,
        };
    }

    /// <inheritdoc />
    /// <remarks>A charge of an earlier window has been given back by the boundary, so only the current window's are returned.</remarks>
    public static long Settle(Rule rule, in ulong state, long nowMicros, long cost, long? stamp, long actual, out ulong next)
    {
        var window = Read(rule, state, nowMicros);
        var count = Math.Clamp(window.Count - cost + actual, 0, uint.MaxValue);
        next = state;
        if (count == window.Count || (actual < cost && stamp is { } start && start != window.Start))
            return 0;
        next = Pack(rule, window.Start, count);
        return window.Count - count;
    }

    /// <inheritdoc />
    public static long Used(Rule rule, in ulong state, long nowMicros) => Read(rule, state, nowMicros).Count;

    /// <inheritdoc />
    public static long IdleAt(Rule rule, in ulong state, long nowMicros)
    {
        var window = Read(rule, state, nowMicros);
        return window.Count == 0 ? nowMicros : window.End;
    }

    /// <summary>The state of a window's start with a count.</summary>
    internal static ulong StateOf(Rule rule, long start, long count) => Pack(rule, start, count);

    private static Window Read(Rule rule, ulong state, long nowMicros)
    {
        var (start, end) = Bounds(rule, nowMicros);
        var ahead = Modular.Difference(state >> CountBits, Number(rule, start), NumberBits);
        var count = (long)(state & uint.MaxValue);
        if (ahead == 0)
            return new Window(start, end, count);
        if (ahead < 0)
            return new Window(start, end, 0);
        // Another thread has already seen a later window: this request belongs to it.
        (start, end) = Bounds(rule, start + (ahead * (rule.Calendar is null ? rule.WindowMicros : MicrosPerMinute)));
        return new Window(start, end, count);
    }

    /// <summary>The window in which an instant lies.</summary>
    internal static (long Start, long End) Bounds(Rule rule, long micros)
    {
        if (rule.Calendar is { } calendar)
            return calendar.At(micros);
        var start = micros - (micros % rule.WindowMicros);
        return (start, start + rule.WindowMicros);
    }

    private static ulong Number(Rule rule, long start) => (ulong)(start / (rule.Calendar is null ? rule.WindowMicros : MicrosPerMinute)) & NumberMask;

    private static ulong Pack(Rule rule, long start, long count) => (Number(rule, start) << CountBits) | (ulong)count;
}
