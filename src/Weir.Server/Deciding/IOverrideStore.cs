using Weir.Redis;

namespace Weir.Server.Deciding;

/// <summary>Where an administrator changes the limits of single keys. Thread safe.</summary>
internal interface IOverrideStore
{
    /// <summary>Most keys that can have a limit of their own.</summary>
    const int Max = SharedState.MaxOverrides;

    /// <summary>Gives a key a limit, or lifts it.</summary>
    /// <param name="key">The key.</param>
    /// <param name="rule">Its limit; null lifts it.</param>
    /// <param name="cancellation">Stops waiting for other nodes.</param>
    /// <returns>What became of it. The number of nodes is 0 where nothing is shared.</returns>
    /// <exception cref="SharedStateException">It was not done, or nobody knows.</exception>
    ValueTask<OverrideSpread> ChangeAsync(string key, Rule? rule, CancellationToken cancellation);
}

/// <summary>Limits of single keys on this node alone; kept until lifted or the node stops.</summary>
internal sealed class MemoryOverrideStore(Overrides overrides) : IOverrideStore
{
    public ValueTask<OverrideSpread> ChangeAsync(string key, Rule? rule, CancellationToken cancellation)
    {
        var outcome = rule is null
            ? overrides.Lift(key) ? OverrideOutcome.Done : OverrideOutcome.NotThere
            : overrides.TrySet(key, rule, IOverrideStore.Max) ? OverrideOutcome.Done : OverrideOutcome.Full;
        return new(new OverrideSpread(outcome, 0, 0));
    }
}

/// <summary>Limits of single keys on all nodes.</summary>
internal sealed class SharedOverrideStore(SharedState shared) : IOverrideStore
{
    public async ValueTask<OverrideSpread> ChangeAsync(string key, Rule? rule, CancellationToken cancellation) =>
        await shared.ChangeOverrideAsync(key, rule is null ? null : OverrideLimit.Of(rule), cancellation);
}
