namespace Weir;

/// <summary>
/// How one kind of rule counts, as pure functions from a state and an instant to a decision and the next state. Engines only apply them
/// atomically. The members are static, so that an engine's generic code is compiled per algorithm and inlines them.
/// </summary>
/// <typeparam name="TState">
/// What a counter remembers. A state is used once: after a call that returned <c>next</c>, either <c>next</c> is kept and the old value forgotten,
/// or the other way round.
/// </typeparam>
/// <remarks>
/// Instants are microseconds since 1970. Threads read the clock before they reach the counter, so an instant can be older than one that the state has
/// seen. Time must not run backwards inside it: the older instant is treated as the newest seen or, where the state does not remember that, so that
/// less is allowed than at the newest.
/// </remarks>
public interface IAlgorithm<TState>
{
    /// <summary>The state of a counter that was never used.</summary>
    static abstract TState Fresh(Rule rule, long nowMicros);

    /// <summary>Decides whether <paramref name="cost"/> permits may be taken now.</summary>
    /// <param name="rule">The rule to decide by.</param>
    /// <param name="state">What the counter remembers.</param>
    /// <param name="nowMicros">The instant of the decision.</param>
    /// <param name="cost">0 (look) to <see cref="RuleBounds.MaxCost"/> permits.</param>
    /// <param name="next">What the counter remembers from now on; means the same as <paramref name="state"/> unless permits were taken.</param>
    static abstract Decision Decide(Rule rule, in TState state, long nowMicros, int cost, out TState next);

    /// <summary>Corrects an earlier charge of <paramref name="cost"/> to <paramref name="actual"/> permits; see <see cref="ILimiter.SettleAsync"/>.</summary>
    /// <returns>Permits given back (positive) or charged in addition (negative).</returns>
    static abstract long Settle(Rule rule, in TState state, long nowMicros, long cost, long? stamp, long actual, out TState next);

    /// <summary>Permits counted against the limit now, rounded up.</summary>
    static abstract long Used(Rule rule, in TState state, long nowMicros);

    /// <summary>The instant from which the state means the same as a fresh one; not after <paramref name="nowMicros"/> when it already does.</summary>
    static abstract long IdleAt(Rule rule, in TState state, long nowMicros);
}
