using System.Buffers;

namespace Weir.Resp;

/// <summary>Bytes that wait for the socket, in one piece. Not thread safe: the connection's gate guards it.</summary>
internal sealed class SendBuffer
{
    private const int SmallBytes = 16 << 10;
    private const int LargeBytes = 1 << 20;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(SmallBytes);

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    /// <summary>Appends room for some bytes, which the caller fills.</summary>
    public Span<byte> Append(int length)
    {
        if (_bytes.Length - Length < length)
            Grow(length);
        var room = _bytes.AsSpan(Length, length);
        Length += length;
        return room;
    }

    /// <summary>Forgets all bytes behind a length, as if they had not been written.</summary>
    public void Truncate(int length) => Length = length;

    /// <summary>Starts again, without the room that one very large command took.</summary>
    public void Clear()
    {
        Length = 0;
        if (_bytes.Length > LargeBytes)
            Replace(ArrayPool<byte>.Shared.Rent(SmallBytes));
    }

    /// <summary>Gives the memory back. The buffer must not be used any more.</summary>
    public void Free()
    {
        Length = 0;
        Replace([]);
    }

    private void Grow(int length)
    {
        var grown = ArrayPool<byte>.Shared.Rent(Math.Max(checked(Length + length), _bytes.Length * 2));
        _bytes.AsSpan(0, Length).CopyTo(grown);
        Replace(grown);
    }

    private void Replace(byte[] by)
    {
        if (_bytes.Length > 0)
            ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = by;
    }
}
