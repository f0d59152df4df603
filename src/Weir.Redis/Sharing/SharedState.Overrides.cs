namespace Weir.Redis;

/// <summary>What became of a change of an override, and how far it has come.</summary>
/// <param name="Outcome">Whether it is made.</param>
/// <param name="Nodes">How many nodes there are.</param>
/// <param name="Applied">On how many of them it is in force.</param>
public sealed record OverrideSpread(OverrideOutcome Outcome, int Nodes, int Applied);

/// <content>Changing overrides on all nodes.</content>
public sealed partial class SharedState
{
    /// <summary>Most keys that have limits of their own, over all nodes: 100,000.</summary>
    public const int MaxOverrides = SharedOverrides.Max;

    private static readonly TimeSpan SpreadPause = TimeSpan.FromMilliseconds(25);

    /// <summary>Gives a key a limit of its own on every node, or lifts it, and waits until it is in force everywhere, but not for long.</summary>
    /// <param name="key">1 to 512 bytes of UTF-8.</param>
    /// <param name="limit">The limit; null lifts it.</param>
    /// <param name="cancellation">Stops waiting. The change goes on.</param>
    /// <returns>What became of it. Nodes on which it is not in force yet follow as soon as they reach Redis.</returns>
    /// <exception cref="SharedStateException">It was not made, or nobody knows.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<OverrideSpread> ChangeOverrideAsync(string key, OverrideLimit? limit, CancellationToken cancellation)
    {
        var since = _time.GetTimestamp();
        while (true)
        {
            var (outcome, version) = await _overrides.WriteAsync(key, limit, NewestKnown());
            if (outcome == OverrideOutcome.Done)
                return await SpreadAsync(version, since, cancellation);
            if (outcome != OverrideOutcome.Behind || _time.GetElapsedTime(since) > _options.SpreadTimeout)
                return new OverrideSpread(outcome, 0, 0);
            // Some node has what is missing, and puts it back.
            Wake();
            await Task.Delay(SpreadPause, _time, cancellation);
        }
    }

    private OverridesVersion NewestKnown()
    {
        var newest = _overrides.Applied;
        foreach (var node in Roll.Nodes)
        {
            if (OverridesVersion.Parse(node.Card.Overrides) is var other && other.Number > newest.Number)
                newest = other;
        }
        return newest;
    }

    private async Task<OverrideSpread> SpreadAsync(OverridesVersion version, long since, CancellationToken cancellation)
    {
        Wake();
        while (true)
        {
            await Task.Delay(SpreadPause, _time, cancellation);
            var spread = await TryLookAsync(version);
            if (spread is { } seen && seen.Applied == seen.Nodes)
                return seen;
            if (_time.GetElapsedTime(since) > _options.SpreadTimeout)
                return spread ?? Count(Roll, version);
        }
    }

    // Null when Redis does not answer: the change is made, and how far it has come is not known.
    private async Task<OverrideSpread?> TryLookAsync(OverridesVersion version)
    {
        try
        {
            return Count(await _registry.LookAsync(), version);
        }
        catch (SharedStateException)
        {
            return null;
        }
    }

    // This node counts even when it is not on the list, because Redis has just lost that.
    private OverrideSpread Count(NodeRoll roll, OverridesVersion version)
    {
        var others = roll.Nodes.Where(n => n.Instance != _registry.Instance).ToList();
        var here = _overrides.Applied.Number >= version.Number ? 1 : 0;
        return new OverrideSpread(
            OverrideOutcome.Done, others.Count + 1, here + others.Count(n => OverridesVersion.Parse(n.Card.Overrides).Number >= version.Number));
    }
}
