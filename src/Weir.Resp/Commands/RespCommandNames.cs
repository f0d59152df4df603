using System.Text;

namespace Weir.Resp;

/// <summary>
/// Knows the commands after which a server sends more or fewer replies than one. On a shared connection each later reply would go to the
/// wrong caller.
/// </summary>
internal static class RespCommandNames
{
    public static bool BreaksOrder(ReadOnlySpan<byte> name) => name.Length switch
    {
        4 => Is(name, "SYNC"u8),
        5 => Is(name, "PSYNC"u8),
        7 => Is(name, "MONITOR"u8),
        9 => Is(name, "SUBSCRIBE"u8),
        10 => Is(name, "PSUBSCRIBE"u8) || Is(name, "SSUBSCRIBE"u8),
        11 => Is(name, "UNSUBSCRIBE"u8),
        12 => Is(name, "PUNSUBSCRIBE"u8) || Is(name, "SUNSUBSCRIBE"u8),
        _ => false,
    };

    public static bool IsClient(ReadOnlySpan<byte> name) => Is(name, "CLIENT"u8);

    /// <summary>The word after <c>CLIENT</c> that silences replies.</summary>
    public static bool IsReply(ReadOnlySpan<byte> word) => Is(word, "REPLY"u8);

    private static bool Is(ReadOnlySpan<byte> word, ReadOnlySpan<byte> name) => Ascii.EqualsIgnoreCase(word, name);
}
