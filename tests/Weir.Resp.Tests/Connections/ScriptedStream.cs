using System.Text;
using System.Threading.Channels;

namespace Weir.Resp.Tests.Connections;

/// <summary>The server's end of a connection in the hands of a test: it decides what is received, and when writes go through.</summary>
internal sealed class ScriptedStream : Stream
{
    private readonly Channel<byte[]> _toClient = Channel.CreateUnbounded<byte[]>();
    private readonly Lock _gate = new();
    private readonly StringBuilder _written = new();
    private TaskCompletionSource? _hold;
    private int _writes;
    private ReadOnlyMemory<byte> _rest;

    /// <summary>Everything that the client wrote, as Latin-1.</summary>
    public string Written
    {
        get
        {
            lock (_gate)
                return _written.ToString();
        }
    }

    /// <summary>How often the client wrote.</summary>
    public int Writes => Volatile.Read(ref _writes);

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Lets the client receive something.</summary>
    public void Feed(string latin1) => _toClient.Writer.TryWrite(Encoding.Latin1.GetBytes(latin1));

    /// <summary>Closes the connection from the server's side.</summary>
    public void Hangup() => _toClient.Writer.TryComplete();

    /// <summary>Breaks the connection.</summary>
    public void Break() => _toClient.Writer.TryComplete(new IOException("Connection reset by peer"));

    /// <summary>From now on writes do not end.</summary>
    public void HoldWrites() => _hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends the writes that were held, and does not hold further ones.</summary>
    public void ReleaseWrites() => Interlocked.Exchange(ref _hold, null)!.SetResult();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_rest.IsEmpty)
        {
            if (!await _toClient.Reader.WaitToReadAsync(cancellationToken) || !_toClient.Reader.TryRead(out var bytes))
                return 0;
            _rest = bytes;
        }
        var count = Math.Min(_rest.Length, buffer.Length);
        _rest[..count].CopyTo(buffer);
        _rest = _rest[count..];
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _writes);
        lock (_gate)
            _written.Append(Encoding.Latin1.GetString(buffer.Span));
        if (_hold is { } hold)
            await hold.Task;
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _toClient.Writer.TryComplete(new ObjectDisposedException(nameof(ScriptedStream)));
        base.Dispose(disposing);
    }
}
