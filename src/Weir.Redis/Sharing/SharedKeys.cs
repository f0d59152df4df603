using Weir.Resp;

namespace Weir.Redis;

/// <summary>
/// Names of the keys of what nodes share besides counters. One hash tag holds all that nodes watch, so that one script sees all of it; reservations are spread
/// over sixteen, by the first digit of their names.
/// </summary>
internal sealed class SharedKeys(string prefix)
{
    /// <summary>Who the nodes are.</summary>
    public string Nodes { get; } = $"{prefix}:{{nodes}}";

    /// <summary>The secret under which counters are named.</summary>
    public string Seed { get; } = $"{prefix}:{{nodes}}:seed";

    /// <summary>Limits of single keys.</summary>
    public string Limits { get; } = $"{prefix}:{{nodes}}:limits";

    /// <summary>Which keys had their limits changed last.</summary>
    public string LimitsLog { get; } = $"{prefix}:{{nodes}}:limits:log";

    /// <summary>Which change of limits was the last.</summary>
    public string LimitsVersion { get; } = $"{prefix}:{{nodes}}:limits:version";

    /// <summary>The Cluster slot of all of these.</summary>
    public int Slot { get; } = RespSlots.Of("nodes"u8);

    /// <summary>Where limits are put aside until all are there.</summary>
    public string StagedLimits(string mark) => $"{Limits}:staged:{mark}";

    /// <summary>The reservation of a name, and when those beside it end.</summary>
    /// <param name="id">Hexadecimal digits.</param>
    public (string Ends, string Reservation, int Slot) Reservation(string id)
    {
        var ends = $"{prefix}:{{reservations:{id[0]}}}";
        return (ends, $"{ends}:{id}", RespSlots.Of(ends));
    }
}
