using System.Text;

namespace Weir.Resp;

/// <summary>Says where a Cluster keeps a key.</summary>
public static class RespSlots
{
    /// <summary>How many slots a Cluster divides its keys into.</summary>
    public const int Count = 16_384;

    private static readonly ushort[] Table = MakeTable();

    /// <summary>
    /// The slot of a key: CRC-16 (XMODEM) of the key, or of the part between its first '{' and the next '}' when that is not empty. Keys
    /// that share such a part share a slot.
    /// </summary>
    /// <returns>0 to 16383.</returns>
    public static int Of(ReadOnlySpan<byte> key)
    {
        var open = key.IndexOf((byte)'{');
        if (open >= 0)
        {
            var length = key[(open + 1)..].IndexOf((byte)'}');
            if (length > 0)
                key = key.Slice(open + 1, length);
        }
        var crc = 0;
        foreach (var b in key)
            crc = ((crc << 8) & 0xffff) ^ Table[(crc >> 8) ^ b];
        return crc % Count;
    }

    /// <summary>The slot of a key that is text, as UTF-8.</summary>
    /// <returns>0 to 16383.</returns>
    public static int Of(ReadOnlySpan<char> key)
    {
        var length = Encoding.UTF8.GetByteCount(key);
        var bytes = length <= 256 ? stackalloc byte[256] : new byte[length];
        Encoding.UTF8.GetBytes(key, bytes);
        return Of(bytes[..length]);
    }

    private static ushort[] MakeTable()
    {
        const int Polynomial = 0x1021;
        var table = new ushort[256];
        for (var i = 0; i < table.Length; i++)
        {
            var crc = i << 8;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 0x8000) != 0 ? (crc << 1) ^ Polynomial : crc << 1;
            table[i] = (ushort)crc;
        }
        return table;
    }
}
