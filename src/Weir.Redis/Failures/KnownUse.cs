namespace Weir.Redis;

/// <summary>Reads what a node remembers of a counter, see <see cref="CounterAnswer.TryHint"/>.</summary>
internal static class KnownUse
{
    /// <summary>Permits that counted when the counter was last seen and may still count now. Never too few by what was seen.</summary>
    public static long Of(Rule rule, (long A, long B, long C) hint, long nowMicros) => rule.Algorithm switch
    {
        AlgorithmKind.TokenBucket => hint.A <= nowMicros ? 0 : CeilingOfLevel(rule, hint.A - nowMicros),
        AlgorithmKind.FixedWindow => nowMicros < FixedWindow.Bounds(rule, hint.A).End ? hint.B : 0,
        AlgorithmKind.SlidingCounter => nowMicros < hint.A + rule.WindowMicros ? hint.B + hint.C : nowMicros < hint.A + (2 * rule.WindowMicros) ? hint.C : 0,
        _ => nowMicros < hint.B + rule.WindowMicros ? hint.A : 0,
    };

    /// <summary>What to remember when more was charged now; of a counter of which nothing is known, all zero. Never too little by what was seen.</summary>
    public static (long A, long B, long C) Add(Rule rule, (long A, long B, long C) hint, long permits, long nowMicros) => rule.Algorithm switch
    {
        AlgorithmKind.TokenBucket => FullAt(rule, hint.A > nowMicros ? hint : (nowMicros, 0, 0), permits),
        AlgorithmKind.FixedWindow => nowMicros < FixedWindow.Bounds(rule, hint.A).End ? (hint.A, hint.B + permits, 0) : (FixedWindow.Bounds(rule, nowMicros).Start, permits, 0),
        AlgorithmKind.SlidingCounter => Counted(CountsAt(rule, hint, nowMicros), permits),
        _ => (hint.A + permits, Math.Max(hint.B, nowMicros), 0),
    };

    /// <summary>The two counts of a sliding counter, brought up to the window of an instant.</summary>
    public static (long Start, long Previous, long Own) CountsAt(Rule rule, (long Start, long Previous, long Own) counts, long nowMicros)
    {
        var present = nowMicros - (nowMicros % rule.WindowMicros);
        return counts.Start >= present ? counts : (present, counts.Start == present - rule.WindowMicros ? counts.Own : 0, 0);
    }

    private static (long A, long B, long C) Counted((long Start, long Previous, long Own) counts, long permits) => counts with { Own = counts.Own + permits };

    private static (long A, long B, long C) FullAt(Rule rule, (long A, long B, long C) hint, long permits)
    {
        var level = ((Int128)permits * rule.EmissionNumerator) + hint.B;
        return (hint.A + (long)(level / rule.EmissionDenominator), (long)(level % rule.EmissionDenominator), 0);
    }

    private static long CeilingOfLevel(Rule rule, long micros) =>
        (long)((((Int128)(micros + 1) * rule.EmissionDenominator) + rule.EmissionNumerator - 1) / rule.EmissionNumerator);
}
