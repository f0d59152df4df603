namespace Weir.Redis;

/// <summary>How bad something is that <see cref="SharedState"/> has to say.</summary>
public enum SharedSeverity
{
    /// <summary>Good to know.</summary>
    Information,

    /// <summary>Somebody should look at it.</summary>
    Warning,

    /// <summary>Limits are not what they should be until somebody has cured it.</summary>
    Error,
}

/// <summary>The node whose part in the shared state is played. Called by one thread at a time; must be quick and must not throw.</summary>
public interface ISharedStateOwner : IOverrideTable
{
    /// <summary>What to tell the others, as it is now.</summary>
    /// <param name="overrides">The last change of overrides that is in force here.</param>
    /// <returns>Null while there is nothing to tell yet.</returns>
    NodeCard? Describe(OverridesVersion overrides);

    /// <summary>Names counters by another seed from now on.</summary>
    /// <param name="seed">32 secret bytes.</param>
    void UseSeed(ReadOnlySpan<byte> seed);

    /// <summary>Takes note of the number of nodes: 1 or more.</summary>
    void CountNodes(int nodes);

    /// <summary>Tells people something.</summary>
    void Say(SharedSeverity severity, string message);
}
