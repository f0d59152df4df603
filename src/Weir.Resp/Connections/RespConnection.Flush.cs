namespace Weir.Resp;

/// <content>Sending: callers fill one buffer while the other is being written.</content>
public sealed partial class RespConnection
{
    private readonly Flush _flush;

    // Guarded by the gate, but for the bytes of _sending while _isFlushing.
    private SendBuffer _filling = new();
    private SendBuffer _sending = new();
    private bool _isFlushing;

    // How many bytes were ever appended, and how many of them were given to the socket.
    private long _appended;
    private long _handedOver;

    private enum FlushMode
    {
        None,
        Here,
        OnPool,
    }

    // Someone alone writes at once, on its own thread: that saves the way over the pool. With others around a pool thread writes, and
    // while it is on its way their commands gather.
    private FlushMode ChooseFlushLocked(bool isAlone)
    {
        if (_isFlushing)
            return FlushMode.None;
        _isFlushing = true;
        return isAlone ? FlushMode.Here : FlushMode.OnPool;
    }

    private void StartFlush(FlushMode mode)
    {
        if (mode == FlushMode.Here)
            _ = FlushAsync(mode);
        else if (mode == FlushMode.OnPool)
            ThreadPool.UnsafeQueueUserWorkItem(_flush, preferLocal: false);
    }

    private async Task FlushAsync(FlushMode mode)
    {
        try
        {
            var handOver = false;
            while (TryTakeUnsent(handOver, out var bytes))
            {
                // Not back to a synchronization context of the caller, who may block it: others' commands are sent here too.
                await _stream.WriteAsync(bytes).ConfigureAwait(false);
                // A caller writes once, for itself, and not on and on for others.
                handOver = mode == FlushMode.Here;
            }
        }
        catch (Exception e)
        {
            End(RespCause.ConnectionLost, e.Message, e);
        }
    }

    private bool TryTakeUnsent(bool handOver, out ReadOnlyMemory<byte> bytes)
    {
        bytes = default;
        lock (_gate)
        {
            _sending.Clear();
            if (_filling.Length == 0 || _end is not null)
            {
                _isFlushing = false;
                return false;
            }
            if (handOver)
            {
                StartFlush(FlushMode.OnPool);
                return false;
            }
            (_filling, _sending) = (_sending, _filling);
            bytes = _sending.Written;
            // From here on the commands may be executed, whatever happens.
            Volatile.Write(ref _handedOver, _handedOver + bytes.Length);
            return true;
        }
    }

    private sealed class Flush(RespConnection connection) : IThreadPoolWorkItem
    {
        public void Execute() => _ = connection.FlushAsync(FlushMode.OnPool);
    }
}
