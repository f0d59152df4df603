namespace Weir.Redis;

/// <summary>A node that the registry knows.</summary>
/// <param name="Id">Its name among the others.</param>
/// <param name="Instance">Tells one start of it from another.</param>
/// <param name="Card">What it told of itself.</param>
/// <param name="LastSeenMicros">When, in microseconds since 1970 by Redis' clock.</param>
public sealed record RegisteredNode(string Id, string Instance, NodeCard Card, long LastSeenMicros);

/// <summary>All nodes that were alive at an instant. Immutable.</summary>
/// <param name="Nodes">The nodes, ordered by their names.</param>
/// <param name="AsOfMicros">When, in microseconds since 1970 by Redis' clock; 0 when Redis was never asked.</param>
public sealed record NodeRoll(IReadOnlyList<RegisteredNode> Nodes, long AsOfMicros)
{
    /// <summary>What is known before Redis was asked.</summary>
    public static NodeRoll Empty { get; } = new([], 0);
}
