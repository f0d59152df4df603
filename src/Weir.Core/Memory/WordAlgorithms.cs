namespace Weir;

/// <summary>Reaches the one-word algorithms by a rule's kind, where speed does not justify a copy of the caller per algorithm.</summary>
internal static class WordAlgorithms
{
    /// <summary>True when counters of the rule keep their state in the slot's word.</summary>
    public static bool Has(Rule rule) => rule.Algorithm is AlgorithmKind.TokenBucket or AlgorithmKind.FixedWindow or AlgorithmKind.SlidingCounter;

    public static ulong Fresh(Rule rule, long nowMicros) => rule.Algorithm switch
    {
        AlgorithmKind.TokenBucket => TokenBucket.Fresh(rule, nowMicros),
        AlgorithmKind.FixedWindow => FixedWindow.Fresh(rule, nowMicros),
        _ => SlidingCounter.Fresh(rule, nowMicros),
    };

    public static Decision Decide(Rule rule, ulong state, long nowMicros, int cost, out ulong next) => rule.Algorithm switch
    {
        AlgorithmKind.TokenBucket => TokenBucket.Decide(rule, state, nowMicros, cost, out next),
        AlgorithmKind.FixedWindow => FixedWindow.Decide(rule, state, nowMicros, cost, out next),
        _ => SlidingCounter.Decide(rule, state, nowMicros, cost, out next),
    };

    public static long Settle(Rule rule, ulong state, long nowMicros, long cost, long? stamp, long actual, out ulong next) => rule.Algorithm switch
    {
        AlgorithmKind.TokenBucket => TokenBucket.Settle(rule, state, nowMicros, cost, stamp, actual, out next),
        AlgorithmKind.FixedWindow => FixedWindow.Settle(rule, state, nowMicros, cost, stamp, actual, out next),
        _ => SlidingCounter.Settle(rule, state, nowMicros, cost, stamp, actual, out next),
    };

    public static long Used(Rule rule, ulong state, long nowMicros) => rule.Algorithm switch
    {
        AlgorithmKind.TokenBucket => TokenBucket.Used(rule, state, nowMicros),
        AlgorithmKind.FixedWindow => FixedWindow.Used(rule, state, nowMicros),
        _ => SlidingCounter.Used(rule, state, nowMicros),
    };

    public static long IdleAt(Rule rule, ulong state, long nowMicros) => rule.Algorithm switch
    {
        AlgorithmKind.TokenBucket => TokenBucket.IdleAt(rule, state, nowMicros),
        AlgorithmKind.FixedWindow => FixedWindow.IdleAt(rule, state, nowMicros),
        _ => SlidingCounter.IdleAt(rule, state, nowMicros),
    };
}
