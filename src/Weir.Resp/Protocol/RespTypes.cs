using System.Buffers;

namespace Weir.Resp;

/// <summary>Facts about types.</summary>
internal static class RespTypes
{
    private static readonly SearchValues<byte> Known = SearchValues.Create("+-:$*_#,(!=%~>|"u8);

    /// <summary>Whether a byte starts a value.</summary>
    public static bool IsKnown(byte first) => Known.Contains(first);

    /// <summary>Whether a value consists of other values.</summary>
    public static bool IsAggregate(RespType type) =>
        type is RespType.Array or RespType.Map or RespType.Set or RespType.Push or RespType.Attribute;

    /// <summary>Whether a length in bytes and then the bytes follow the line.</summary>
    public static bool HasPayload(RespType type) => type is RespType.BulkString or RespType.BulkError or RespType.VerbatimString;

    /// <summary>How many values make up one element of an aggregate.</summary>
    public static int ValuesPerElement(RespType type) => type is RespType.Map or RespType.Attribute ? 2 : 1;
}
