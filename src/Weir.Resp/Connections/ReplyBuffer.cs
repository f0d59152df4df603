using System.Buffers;

namespace Weir.Resp;

/// <summary>
/// The bytes of one reply, lent to whoever reads it. A lease is the buffer and its version; returning it raises the version, so that a
/// second return, or a read afterwards, is noticed and does not touch the next reply.
/// </summary>
internal sealed class ReplyBuffer
{
    private const int KeptBytes = 8 << 10;

    private byte[] _bytes = new byte[256];
    private int _length;
    private int _version;

    public static ReplyBuffer Rent(ReadOnlySpan<byte> reply, out int version)
    {
        var buffer = Pool<ReplyBuffer>.Rent();
        if (buffer._bytes.Length < reply.Length)
            buffer._bytes = reply.Length <= KeptBytes ? new byte[KeptBytes] : ArrayPool<byte>.Shared.Rent(reply.Length);
        reply.CopyTo(buffer._bytes);
        buffer._length = reply.Length;
        version = Volatile.Read(ref buffer._version);
        return buffer;
    }

    public ReadOnlySpan<byte> Bytes(int version)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _version) != version, typeof(RespReply));
        return _bytes.AsSpan(0, _length);
    }

    public void Return(int version)
    {
        if (Interlocked.CompareExchange(ref _version, version + 1, version) != version)
            return;
        if (_bytes.Length > KeptBytes)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = new byte[256];
        }
        Pool<ReplyBuffer>.Return(this);
    }
}
