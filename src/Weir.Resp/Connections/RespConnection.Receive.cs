using System.Buffers;

namespace Weir.Resp;

/// <content>Receiving: one loop that finds replies and gives them to those who wait, in order.</content>
public sealed partial class RespConnection
{
    private const int SmallBytes = 16 << 10;
    private const int LargeBytes = 1 << 20;
    private const int ExcerptBytes = 128;

    private RespScanner _scanner;
    private byte[] _received = ArrayPool<byte>.Shared.Rent(SmallBytes);

    // The unread part of _received.
    private int _start;
    private int _filledTo;

    private volatile bool _isDispatching;

    /// <summary>The first bytes of what was not RESP; empty when all was.</summary>
    internal byte[] Excerpt { get; private set; } = [];

    /// <summary>Whether the server ever sent anything.</summary>
    internal bool HasReceived { get; private set; }

    private async Task ReceiveAsync()
    {
        try
        {
            while (true)
            {
                var count = await _stream.ReadAsync(_received.AsMemory(_filledTo));
                if (count == 0)
                    break;
                HasReceived = true;
                Volatile.Write(ref _lastReceived, _time.GetTimestamp());
                _filledTo += count;
                _isDispatching = true;
                Dispatch();
                _isDispatching = false;
                MakeRoom();
            }
            End(RespCause.ClosedByServer);
        }
        catch (RespProtocolException e)
        {
            Excerpt = _received.AsSpan(_start, Math.Min(_filledTo - _start, ExcerptBytes)).ToArray();
            End(RespCause.ProtocolViolation, e.Message, e);
        }
        catch (Exception e)
        {
            End(RespCause.ConnectionLost, e.Message, e);
        }
        Finish();
    }

    private void Dispatch()
    {
        while (_start < _filledTo)
        {
            var unread = _received.AsSpan(_start, _filledTo - _start);
            if (!_scanner.TryScan(unread, out var length))
                return;
            if (unread[0] == (byte)RespType.Push)
                Push(unread[..length]);
            else
                Reply(unread[..length]);
            _start += length;
        }
    }

    private void Reply(ReadOnlySpan<byte> reply)
    {
        var slot = _head & (_queue.Length - 1);
        var pending = _head == Volatile.Read(ref _tail) ? null : _queue[slot];
        if (pending is null || pending.EndOffset > Volatile.Read(ref _handedOver))
            throw new RespProtocolException("A reply came that no command asked for.");
        if (reply[0] == (byte)RespType.Error)
            _events.OnError?.Invoke(RespErrors.KindOf(reply[1..^2]));
        // Out of the queue first: a caller that goes on at once finds the connection as free as it is.
        _queue[slot] = null;
        Volatile.Write(ref _head, _head + 1);
        pending.TryReply(reply);
        pending.Release();
    }

    private void Push(ReadOnlySpan<byte> message)
    {
        if (_events.OnPush is not { } handler)
            return;
        var reader = new RespReader(message);
        reader.Read();
        try
        {
            handler(ref reader);
        }
        catch (Exception)
        {
            // The handler belongs to one caller, the connection to all of them.
        }
    }

    private void MakeRoom()
    {
        if (_start == _filledTo)
        {
            _start = _filledTo = 0;
            if (_received.Length > LargeBytes)
                Replace(SmallBytes);
            return;
        }
        if (_filledTo < _received.Length)
            return;
        if (_start > 0)
            Move(_received);
        else
            Replace(_received.Length * 2);
    }

    private void Replace(int length)
    {
        var old = _received;
        var replaced = ArrayPool<byte>.Shared.Rent(length);
        Move(replaced);
        _received = replaced;
        ArrayPool<byte>.Shared.Return(old);
    }

    private void Move(byte[] to)
    {
        _received.AsSpan(_start, _filledTo - _start).CopyTo(to);
        _filledTo -= _start;
        _start = 0;
    }

    // Nothing is received or appended any more. What was not given to the socket has not run; of the rest nobody knows.
    private void Finish()
    {
        _timer.Dispose();
        var cause = _end!.Failure.Cause;
        for (; _head < Volatile.Read(ref _tail); Volatile.Write(ref _head, _head + 1))
        {
            var pending = _queue[_head & (_queue.Length - 1)]!;
            _queue[_head & (_queue.Length - 1)] = null;
            var execution = pending.EndOffset > _handedOver ? RespExecution.NotSent : RespExecution.MayHaveExecuted;
            pending.TryFail(new RespFailure(RespStage.Session, cause, execution));
            pending.Release();
        }
        ArrayPool<byte>.Shared.Return(_received);
        _closed.TrySetResult(_end);
    }
}
