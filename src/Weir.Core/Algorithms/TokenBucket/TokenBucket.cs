namespace Weir;

/// <summary>
/// GCRA, the token bucket kept as one instant. Guarantees admitted(s, t] ≤ burst + rate × (t − s) for every interval, without error: the time
/// a permit takes to come back is a rational number p/l of microseconds, and the state counts in units of 1/l microsecond.
/// </summary>
/// <remarks>
/// The state is the theoretical arrival time (TAT), the instant at which the bucket will be full again, modulo 2^62 of those units. Only its distance
/// from now matters, at most twice the bucket's depth ahead; behind, it is an idle bucket.
/// Source: ATM Forum Traffic Management 4.0, the virtual scheduling form of the generic cell rate algorithm.
/// </remarks>
public readonly struct TokenBucket : IAlgorithm<ulong>
{
    /// <inheritdoc />
    public static ulong Fresh(Rule rule, long nowMicros) => Units(rule, nowMicros);

    /// <inheritdoc />
    public static Decision Decide(Rule rule, in ulong state, long nowMicros, int cost, out ulong next)
    {
        var now = Units(rule, nowMicros);
        var level = Level(state, now);
        next = state;
        if (rule.Permits == 0)
            return Refusal(rule, cost == 0 ? Outcome.Allowed : Outcome.NeverFits, 0, 0);
        if (cost > rule.Burst)
            return Refusal(rule, Outcome.NeverFits, level, 0);
        var depth = rule.Burst * rule.EmissionNumerator;
        var filled = level + (cost * rule.EmissionNumerator);
        if (filled > depth)
            return Refusal(rule, Outcome.Refused, level, Modular.CeilingDivide(filled - depth, rule.EmissionDenominator));
        if (cost > 0)
            next = (now + (ulong)filled) & Modular.WordMask;
        return new Decision
        {
            Outcome = Outcome.Allowed,
            Rule = rule,
            Remaining = (depth - filled) / rule.EmissionNumerator,
            ResetMicros = Modular.CeilingDivide(filled, rule.EmissionDenominator),
            Stamp = nowMicros,
        };
    }

    /// <inheritdoc />
    /// <remarks>
    /// With a stamp, the instant of the charge, time is taken to have refilled the charge first: what has come back on its own since then is not given back
    /// once more. The state cannot tell whether time was busy with earlier charges instead, for they may have been given back themselves. So the promise
    /// holds for what was really used, whatever is given back and when; a charge settled later than it takes to refill gives nothing back.
    /// Debt from charging more than fits is remembered up to one further bucket.
    /// </remarks>
    public static long Settle(Rule rule, in ulong state, long nowMicros, long cost, long? stamp, long actual, out ulong next)
    {
        var now = Units(rule, nowMicros);
        var level = Level(state, now);
        var permits = cost - actual;
        next = state;
        if (permits == 0 || rule.Permits == 0)
            return 0;
        var depth = rule.Burst * rule.EmissionNumerator;
        long change;
        if (permits > 0)
        {
            change = Math.Min(level, Math.Min(permits, rule.Burst) * rule.EmissionNumerator);
            if (stamp is { } taken)
                change = Math.Min(change, NotRefilled(rule, cost, nowMicros - taken));
        }
        else
        {
            change = Math.Max(Math.Min(0, level - (2 * depth)), Math.Max(permits, -rule.Burst) * rule.EmissionNumerator);
        }
        if (change == 0)
            return 0;
        next = (now + (ulong)(level - change)) & Modular.WordMask;
        return change / rule.EmissionNumerator;
    }

    /// <inheritdoc />
    public static long Used(Rule rule, in ulong state, long nowMicros) =>
        Modular.CeilingDivide(Level(state, Units(rule, nowMicros)), rule.EmissionNumerator);

    /// <inheritdoc />
    public static long IdleAt(Rule rule, in ulong state, long nowMicros) =>
        nowMicros + Modular.CeilingDivide(Level(state, Units(rule, nowMicros)), rule.EmissionDenominator);

    /// <summary>The state of a bucket that is a level, in units of 1/<see cref="Rule.EmissionDenominator"/> µs, from full.</summary>
    internal static ulong StateOf(Rule rule, long nowMicros, long level) => (Units(rule, nowMicros) + (ulong)level) & Modular.WordMask;

    private static ulong Units(Rule rule, long micros) => unchecked((ulong)micros * (ulong)rule.EmissionDenominator) & Modular.WordMask;

    // What time alone has not yet given back of a charge, in units.
    private static long NotRefilled(Rule rule, long cost, long elapsedMicros)
    {
        var filled = Math.Min(cost, rule.Burst) * rule.EmissionNumerator;
        return elapsedMicros <= 0 ? filled
            : elapsedMicros > filled / rule.EmissionDenominator ? 0
            : filled - (elapsedMicros * rule.EmissionDenominator);
    }

    // How far the bucket is from full, in units; 0 for an idle bucket.
    private static long Level(ulong tat, ulong now) => Math.Max(0, Modular.Difference(tat, now, Modular.WordBits));

    private static Decision Refusal(Rule rule, Outcome outcome, long level, long retryAfterMicros) => new()
    {
        Outcome = outcome,
        Rule = rule,
        Remaining = rule.Permits == 0 ? 0 : Math.Max(0, ((rule.Burst * rule.EmissionNumerator) - level) / rule.EmissionNumerator),
        ResetMicros = Modular.CeilingDivide(level, rule.EmissionDenominator),
        RetryAfterMicros = retryAfterMicros,
    };
}
