namespace Weir.Resp;

/// <summary>Reads error replies.</summary>
internal static class RespErrors
{
    /// <summary>The kind of an error, from its text without the leading type byte.</summary>
    public static RespErrorKind KindOf(ReadOnlySpan<byte> text)
    {
        var space = text.IndexOf((byte)' ');
        var word = space < 0 ? text : text[..space];
        return word.Length switch
        {
            3 when word.SequenceEqual("ASK"u8) => RespErrorKind.Ask,
            3 when word.SequenceEqual("OOM"u8) => RespErrorKind.OutOfMemory,
            4 when word.SequenceEqual("BUSY"u8) => RespErrorKind.Busy,
            5 when word.SequenceEqual("MOVED"u8) => RespErrorKind.Moved,
            6 when word.SequenceEqual("NOAUTH"u8) => RespErrorKind.PasswordNeeded,
            6 when word.SequenceEqual("NOPERM"u8) => RespErrorKind.NoPermission,
            6 when word.SequenceEqual("DENIED"u8) => RespErrorKind.Denied,
            7 when word.SequenceEqual("LOADING"u8) => RespErrorKind.Loading,
            7 when word.SequenceEqual("MISCONF"u8) => RespErrorKind.Misconfigured,
            7 when word.SequenceEqual("NOPROTO"u8) => RespErrorKind.NoProtocol,
            8 when word.SequenceEqual("READONLY"u8) => RespErrorKind.ReadOnly,
            8 when word.SequenceEqual("NOSCRIPT"u8) => RespErrorKind.NoScript,
            8 when word.SequenceEqual("TRYAGAIN"u8) => RespErrorKind.TryAgain,
            9 when word.SequenceEqual("CROSSSLOT"u8) => RespErrorKind.CrossSlot,
            9 when word.SequenceEqual("WRONGPASS"u8) => RespErrorKind.WrongPassword,
            9 when word.SequenceEqual("WRONGTYPE"u8) => RespErrorKind.WrongType,
            10 when word.SequenceEqual("MASTERDOWN"u8) => RespErrorKind.PrimaryDown,
            10 when word.SequenceEqual("NOREPLICAS"u8) => RespErrorKind.NoReplicas,
            11 when word.SequenceEqual("CLUSTERDOWN"u8) => RespErrorKind.ClusterDown,
            _ => RespErrorKind.Other,
        };
    }
}
