namespace Weir;

/// <summary>What a rule answers when its engine cannot decide: Redis is away, or the memory engine is at its bound.</summary>
public enum FailurePolicy
{
    /// <summary>Refuse. Over-admission: none. The default.</summary>
    Closed,

    /// <summary>Allow, and mark the answer as degraded. Over-admission: unbounded while the failure lasts.</summary>
    Open,

    /// <summary>
    /// Decide from this node's share of the limit. An engine that has no shared state to fall back from, such as the memory
    /// engine at its bound, treats it as <see cref="Closed"/>.
    /// </summary>
    Local,
}
