using System.Globalization;
using System.Security.Cryptography;

namespace Weir.Redis;

/// <summary>
/// Where nodes find each other. A node registers for a time and does so again before it is over; one that does not is dropped by whoever looks next. All times
/// are Redis' own, so that nodes' clocks do not matter.
/// </summary>
/// <remarks><see cref="BeatAsync"/> and <see cref="LeaveAsync"/> are one caller's at a time; everything else is thread safe.</remarks>
internal sealed class NodeRegistry(SharedStore store, string id, TimeSpan ttl)
{
    private const int ValuesPerNode = 4;

    private readonly string _ttlMicros = ttl.TotalMicroseconds.ToString("0", CultureInfo.InvariantCulture);
    private NodeRoll _roll = NodeRoll.Empty;

    // When this instance was first heard of: a namesake that is heard of later is another process that runs now, and not what this one was before a restart.
    private long _firstBeatMicros;

    /// <summary>Tells this start of the node from any other.</summary>
    public string Instance { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));

    /// <summary>The nodes as last seen.</summary>
    public NodeRoll Roll => Volatile.Read(ref _roll);

    /// <summary>Another process that runs under this node's name; null when there is none, or it is leaving.</summary>
    public RegisteredNode? Namesake => _firstBeatMicros == 0
        ? null
        : Roll.Nodes.FirstOrDefault(n => n.Id == id && n.Instance != Instance && n.LastSeenMicros > _firstBeatMicros && n.Card.State != "stopping");

    /// <summary>Registers this node for its time, and looks who else is there.</summary>
    /// <exception cref="SharedStateException">Redis did not answer.</exception>
    public async Task<NodeRoll> BeatAsync(NodeCard card)
    {
        var keys = store.Keys;
        var roll = Take(await store.RunAsync(
            SharedScript.Nodes, keys.Slot, [keys.Nodes, keys.Seed, keys.Limits, keys.LimitsLog, keys.LimitsVersion],
            Instance, id, _ttlMicros, card.ToJson(), SharedStore.KeepMillis));
        if (_firstBeatMicros == 0)
            _firstBeatMicros = roll.AsOfMicros;
        return roll;
    }

    /// <summary>Looks who is there.</summary>
    /// <exception cref="SharedStateException">Redis did not answer.</exception>
    public async Task<NodeRoll> LookAsync() => Take(await store.RunAsync(SharedScript.Nodes, store.Keys.Slot, [store.Keys.Nodes], Instance, id, "0", "", "0"));

    /// <summary>Takes this node off the list.</summary>
    /// <exception cref="SharedStateException">Redis did not answer; the node is dropped when its time is over.</exception>
    public Task LeaveAsync() => store.SendAsync("HDEL", store.Keys.Nodes, Instance);

    private NodeRoll Take(List<string?> reply)
    {
        var now = Number(reply[0]);
        store.Clock.Set(now);
        var nodes = new List<RegisteredNode>();
        for (var i = 1; i < reply.Count; i += ValuesPerNode)
        {
            if (NodeCard.Read(reply[i + 3]!) is { } card)
                nodes.Add(new RegisteredNode(reply[i + 2]!, reply[i]!, card, Number(reply[i + 1])));
        }
        nodes.Sort(static (a, b) => string.CompareOrdinal(a.Id, b.Id) is var order and not 0 ? order : string.CompareOrdinal(a.Instance, b.Instance));
        var roll = new NodeRoll(nodes, now);
        Volatile.Write(ref _roll, roll);
        return roll;
    }

    private static long Number(string? text) => long.Parse(text!, NumberStyles.None, CultureInfo.InvariantCulture);
}
