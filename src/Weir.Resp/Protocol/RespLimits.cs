namespace Weir.Resp;

/// <summary>How large replies may be, so that a broken or hostile server cannot take all memory. Immutable.</summary>
public sealed record RespLimits
{
    internal const int LeastReplyBytes = 1024;
    internal const int MostReplyBytes = 1 << 29;
    internal const int LeastLineBytes = 64;
    internal const int DeepestDepth = 32;

    /// <summary>The defaults of each limit.</summary>
    public static RespLimits Default { get; } = new();

    /// <summary>Bytes of one whole reply, with everything that it contains. 1 KiB to 512 MiB; default 64 MiB.</summary>
    public int MaxReplyBytes { get; init; } = 64 << 20;

    /// <summary>Bytes of one line: a status, an error, a number, a length. At least 64; default 64 KiB.</summary>
    public int MaxLineBytes { get; init; } = 64 << 10;

    /// <summary>Elements of one array, set, push or map (where a key and its value are two). At least 1; default 1,048,576.</summary>
    public int MaxElements { get; init; } = 1 << 20;

    /// <summary>How deep arrays may contain arrays. 1 to 32; default 16.</summary>
    public int MaxDepth { get; init; } = 16;
}
