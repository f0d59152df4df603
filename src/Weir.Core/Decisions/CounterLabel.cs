using System.Buffers.Binary;
using System.Text;

namespace Weir;

/// <summary>
/// The canonical bytes of what a counter counts: a plain key as its UTF-8 text after a zero byte, or a descriptor as its entries, each part after
/// its length. The same bytes are hashed into the <see cref="CounterId"/> and shown in listings. No two descriptors have the same bytes.
/// </summary>
public static class CounterLabel
{
    private const byte PlainKey = 0;
    private const byte Entries = 1;

    /// <summary>Largest label, in bytes: a descriptor of 8 entries at full length. Longer descriptors are refused as bad input.</summary>
    public const int MaxBytes = 8 * 1024;

    /// <summary>Writes the label of a plain key, given as UTF-8.</summary>
    /// <returns>Bytes written: the key's length and one.</returns>
    public static int WriteKey(ReadOnlySpan<byte> key, Span<byte> target)
    {
        target[0] = PlainKey;
        key.CopyTo(target[1..]);
        return key.Length + 1;
    }

    /// <summary>The label of a plain key.</summary>
    public static byte[] OfKey(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var label = new byte[1 + Encoding.UTF8.GetByteCount(key)];
        Encoding.UTF8.GetBytes(key, label.AsSpan(1));
        return label;
    }

    /// <summary>The label of a descriptor.</summary>
    public static byte[] OfDescriptor(IReadOnlyList<DescriptorEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        var label = new byte[1 + entries.Sum(e => 8 + Encoding.UTF8.GetByteCount(e.Key) + Encoding.UTF8.GetByteCount(e.Value))];
        label[0] = Entries;
        var at = 1;
        foreach (var entry in entries)
            at = Write(Write(at, entry.Key, label), entry.Value, label);
        return label;
    }

    /// <summary>The label as people read it: the key, or <c>user=alice, path=/login</c>.</summary>
    public static string Format(ReadOnlySpan<byte> label)
    {
        if (label.IsEmpty)
            return "";
        if (label[0] == PlainKey)
            return Encoding.UTF8.GetString(label[1..]);
        var text = new StringBuilder();
        for (var at = 1; at < label.Length;)
        {
            var key = Read(ref at, label);
            var value = Read(ref at, label);
            text.Append(text.Length == 0 ? "" : ", ").Append(key);
            if (value.Length > 0)
                text.Append('=').Append(value);
        }
        return text.ToString();
    }

    private static int Write(int at, string part, byte[] label)
    {
        var length = Encoding.UTF8.GetBytes(part, label.AsSpan(at + 4));
        BinaryPrimitives.WriteInt32LittleEndian(label.AsSpan(at), length);
        return at + 4 + length;
    }

    private static string Read(ref int at, ReadOnlySpan<byte> label)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(label[at..]);
        var part = Encoding.UTF8.GetString(label.Slice(at + 4, length));
        at += 4 + length;
        return part;
    }
}
