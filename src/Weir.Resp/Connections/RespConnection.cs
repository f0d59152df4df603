using System.Net.Sockets;

namespace Weir.Resp;

/// <summary>
/// One connection that any number of callers share. Commands are sent in the order of the calls, without waiting for earlier replies;
/// whatever was called while the socket was busy goes out together in its next write. Thread safe.
/// </summary>
/// <remarks>
/// Replies are told apart by their order alone, so a command keeps its place in the queue when its deadline passes or its caller cancels:
/// its reply is still taken, and dropped. When the connection ends, every command that waits is completed, once, and told whether it can
/// have run.
/// <para>
/// Threads: callers append bytes and queue entries under <c>_gate</c>, so both have the same order. One flush at a time writes. One loop
/// receives; it alone takes entries out of the queue. A timer looks at deadlines, without owning anything.
/// </para>
/// </remarks>
public sealed partial class RespConnection : IAsyncDisposable
{
    private static readonly RespCommand Asking = RespCommand.Create("ASKING");

    private readonly Lock _gate = new();
    private readonly Stream _stream;
    private readonly Socket? _socket;
    private readonly RespOptions _options;
    private readonly TimeProvider _time;
    private readonly RespConnectionEvents _events;
    private readonly TaskCompletionSource<RespFailureException> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // A ring. Entries from _head up to _tail wait for replies; _head moves in the receive loop only, _tail under the gate only.
    private readonly PendingCommand?[] _queue;
    private long _head;
    private long _tail;

    private Task _receiving = Task.CompletedTask;
    private RespFailureException? _end;
    private bool _isWriting;

    internal RespConnection(Stream stream, Socket? socket, RespEndpoint endpoint, RespOptions options, TimeProvider time, RespConnectionEvents events)
    {
        _stream = stream;
        _socket = socket;
        _options = options;
        _time = time;
        _events = events;
        Endpoint = endpoint;
        _queue = new PendingCommand?[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)options.MaxPending + 1)];
        _scanner = new RespScanner(options.Limits);
        _timestampsPerTick = (double)time.TimestampFrequency / TimeSpan.TicksPerSecond;
        _resolution = ToTimestamps(options.DeadlineResolution);
        _stallTimestamps = ToTimestamps(options.StallTimeout);
        _longestUnreadTimestamps = ToTimestamps(LongestUnread);
        _flush = new Flush(this);
        _timer = time.CreateTimer(static state => ((RespConnection)state!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Where the server listens.</summary>
    public RespEndpoint Endpoint { get; }

    /// <summary>What the server said about itself at the start.</summary>
    public RespServerInfo Server { get; internal set; } = new();

    /// <summary>
    /// Completes, never with an exception, when the connection has ended and all its commands are completed. Tells why it ended.
    /// </summary>
    public Task<RespFailureException> Closed => _closed.Task;

    /// <summary>Commands whose replies have not come yet, those included that have timed out since.</summary>
    public int Pending => (int)(Volatile.Read(ref _tail) - Volatile.Read(ref _head));

    /// <summary>Connects, encrypts, authenticates, selects the database, and learns who the server is.</summary>
    /// <param name="endpoint">Where to connect to, whatever endpoints the options name.</param>
    /// <param name="options">Everything else.</param>
    /// <param name="time">The clock of deadlines. Default: the system's.</param>
    /// <param name="onPush">Takes messages that answer no command. Default: they are dropped.</param>
    /// <param name="cancellationToken">Gives up. A half-made connection is closed.</param>
    /// <exception cref="ArgumentException">Options are out of their ranges; the message names all of them.</exception>
    /// <exception cref="RespFailureException">It failed; stage, cause and message say why.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task<RespConnection> ConnectAsync(
        RespEndpoint endpoint, RespOptions options, TimeProvider? time = null, RespPushHandler? onPush = null,
        CancellationToken cancellationToken = default)
    {
        RespOptionsValidation.ThrowIfInvalid(options);
        var connector = new RespConnector(options, time ?? TimeProvider.System, new RespConnectionEvents { OnPush = onPush });
        return connector.ConnectAsync(endpoint, RespLogin.ToServer(options), cancellationToken);
    }

    /// <summary>
    /// Sends a command and waits for its reply. Failures are part of the result and not thrown. Allocates nothing once warm.
    /// </summary>
    /// <param name="command">Written before this call returns.</param>
    /// <param name="timeout">
    /// How long to wait; may take <see cref="RespOptions.DeadlineResolution"/> longer, and while replies have arrived that this busy process is reading, up to 100 ms
    /// after the last that it read. Zero: <see cref="RespOptions.CommandTimeout"/>.
    /// </param>
    /// <param name="cancellationToken">Stops waiting. The command may be executed nevertheless.</param>
    /// <returns>The reply, to be disposed of; or why there is none. Await it exactly once.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The command was written wrongly, or tried to send another. Nothing was sent.</exception>
    public ValueTask<RespReply> SendAsync(IRespCommand command, TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        SendAsync(command, asking: false, timeout, cancellationToken);

    /// <summary>Closes the connection. Commands that wait are completed with <see cref="RespCause.Disposed"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        End(RespCause.Disposed);
        await _receiving;
    }

    /// <summary>Sends a command, after <c>ASKING</c> if so wished, with nothing in between.</summary>
    internal ValueTask<RespReply> SendAsync(IRespCommand command, bool asking, TimeSpan timeout, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(command);
        ArgumentOutOfRangeException.ThrowIfLessThan(timeout, TimeSpan.Zero);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<RespReply>(cancellationToken);
        var now = _time.GetTimestamp();
        var pending = PendingCommand.Rent(now + ToTimestamps(timeout == TimeSpan.Zero ? _options.CommandTimeout : timeout), command.StaysInPlace);
        RespFailure failure;
        FlushMode flush;
        try
        {
            failure = Append(command, asking, pending, now, out flush);
        }
        catch
        {
            pending.Abandon();
            throw;
        }
        if (failure.Cause != RespCause.None)
        {
            pending.Abandon();
            return new ValueTask<RespReply>(new RespReply(failure));
        }
        pending.CancelWith(cancellationToken);
        StartFlush(flush);
        return pending.Task;
    }

    /// <summary>Starts to receive. Called once, before anything is sent.</summary>
    internal void Start() => _receiving = Task.Run(ReceiveAsync);

    /// <summary>Ends the connection for a reason that lies outside of it, once.</summary>
    internal void End(RespCause cause, string? detail = null, Exception? exception = null)
    {
        lock (_gate)
        {
            if (_end is not null)
                return;
            Volatile.Write(ref _end, new RespFailureException(new RespFailure(RespStage.Session, cause), Endpoint, detail, exception));
        }
        // This also wakes the receive loop, which then completes what waits.
        _stream.Dispose();
    }

    private RespFailure Append(IRespCommand command, bool asking, PendingCommand pending, long now, out FlushMode flush)
    {
        lock (_gate)
        {
            flush = FlushMode.None;
            if (_isWriting)
                throw new InvalidOperationException("A command tried to send another while it was being written. Send it afterwards.");
            if (_end is not null)
                return new RespFailure(RespStage.Command, _end.Failure.Cause);
            var waiting = Pending;
            if (waiting + (asking ? 2 : 1) > _options.MaxPending || _filling.Length >= _options.MaxUnsentBytes)
                return new RespFailure(RespStage.Command, RespCause.QueueFull);
            if (asking)
                Enqueue(Asking, PendingCommand.RentUnawaited());
            Enqueue(command, pending);
            if (waiting == 0)
                Volatile.Write(ref _waitingSince, now);
            ArmLocked(now, pending.Deadline);
            flush = ChooseFlushLocked(isAlone: waiting == 0 || command.StaysInPlace);
            return default;
        }
    }

    private void Enqueue(IRespCommand command, PendingCommand pending)
    {
        var start = _filling.Length;
        _isWriting = true;
        try
        {
            var writer = new RespCommandWriter(_filling);
            command.Write(ref writer);
            writer.ThrowIfIncomplete();
        }
        catch
        {
            _filling.Truncate(start);
            throw;
        }
        finally
        {
            _isWriting = false;
        }
        _appended += _filling.Length - start;
        pending.EndOffset = _appended;
        _queue[_tail & (_queue.Length - 1)] = pending;
        Volatile.Write(ref _tail, _tail + 1);
    }
}
