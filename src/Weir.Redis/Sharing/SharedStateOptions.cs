using Weir.Resp;

namespace Weir.Redis;

/// <summary>How a node takes part in what nodes share. Immutable.</summary>
public sealed record SharedStateOptions
{
    /// <summary>The server, as the client was made for it.</summary>
    public required RespOptions Server { get; init; }

    /// <summary>What every key begins with. Default <c>weir</c>.</summary>
    public string Prefix { get; init; } = "weir";

    /// <summary>Name of this node among the others: printable ASCII without spaces.</summary>
    public required string NodeId { get; init; }

    /// <summary>How long this node stays on the list when it is not heard of. It tells of itself six times as often. Default 30 s.</summary>
    public TimeSpan Ttl { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a node looks whether what is shared has changed. At most a sixth of <see cref="Ttl"/> is used. Default 200 ms.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How long a change of an override may wait for every node to have it in force. Default 2 s.</summary>
    public TimeSpan SpreadTimeout { get; init; } = TimeSpan.FromSeconds(2);
}
