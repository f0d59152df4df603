using System.Threading.Tasks.Sources;

namespace Weir.Resp;

/// <summary>
/// A command that was given to a connection: the task that its caller awaits, and its place in the queue of replies. Reused.
/// </summary>
/// <remarks>
/// Threads: reply, deadline, cancellation and loss of the connection race to complete it, and the one that moves the state from Waiting
/// to Done wins. Two owners hold it, the caller until it has taken the result, and the queue until the reply has come or never will; it
/// is reused when both have let go. So a command that timed out keeps its slot: its reply may be on its way, and must not meet the next
/// command. The state carries a version, because deadlines are looked at by a thread that owns nothing: its late attempt must not hit the
/// next use.
/// </remarks>
internal sealed class PendingCommand : IValueTaskSource<RespReply>
{
    private const long StatusMask = 3;
    private const long Idle = 0;
    private const long Waiting = 1;
    private const long Done = 2;
    private const long NextVersion = 4;

    private static readonly Action<object?, CancellationToken> Cancel = static (state, token) => ((PendingCommand)state!).TryCancel(token);

    private ManualResetValueTaskSourceCore<RespReply> _core;
    private CancellationTokenRegistration _cancellation;
    private long _state;
    private int _owners;
    private long _deadline;

    /// <summary>What the caller awaits, once.</summary>
    public ValueTask<RespReply> Task => new(this, _core.Version);

    /// <summary>How many bytes the connection had been given once this command was appended.</summary>
    public long EndOffset { get; set; }

    /// <summary>The timestamp at which it fails. That of the next use, when it is read by who owns nothing.</summary>
    public long Deadline => Volatile.Read(ref _deadline);

    /// <summary>Takes a command that a caller will await.</summary>
    /// <param name="deadline">The timestamp at which it fails.</param>
    /// <param name="inPlace">Whether the caller continues where the command is completed. Others continue on the thread pool, where none of them can hold up the replies of the others.</param>
    public static PendingCommand Rent(long deadline, bool inPlace) => Rent(deadline, inPlace, 2, Waiting);

    /// <summary>Takes a command that nobody awaits and whose reply is dropped.</summary>
    public static PendingCommand RentUnawaited() => Rent(0, false, 1, Done);

    private static PendingCommand Rent(long deadline, bool inPlace, int owners, long status)
    {
        var command = Pool<PendingCommand>.Rent();
        command._core.RunContinuationsAsynchronously = !inPlace;
        command._owners = owners;
        Volatile.Write(ref command._deadline, deadline);
        Volatile.Write(ref command._state, (command._state & ~StatusMask) + NextVersion + status);
        return command;
    }

    /// <summary>Puts a command back that was not given to anybody.</summary>
    public void Abandon()
    {
        Volatile.Write(ref _state, (_state & ~StatusMask) | Idle);
        Pool<PendingCommand>.Return(this);
    }

    /// <summary>Completes the command when a token is cancelled. The caller calls it before it awaits.</summary>
    public void CancelWith(CancellationToken token)
    {
        if (token.CanBeCanceled)
            _cancellation = token.UnsafeRegister(Cancel, this);
    }

    /// <summary>Completes the command with a reply, which is copied, unless it is complete already.</summary>
    public void TryReply(ReadOnlySpan<byte> reply)
    {
        if (!TryClaim(Volatile.Read(ref _state)))
            return;
        var buffer = ReplyBuffer.Rent(reply, out var version);
        _core.SetResult(new RespReply(buffer, version));
    }

    /// <summary>Completes the command without a reply, unless it is complete already.</summary>
    public void TryFail(RespFailure failure)
    {
        if (TryClaim(Volatile.Read(ref _state)))
            _core.SetResult(new RespReply(failure));
    }

    /// <summary>Completes the command if its deadline has passed. May be called by who owns nothing.</summary>
    public void TryExpire(long now)
    {
        // The order matters: a state that is still the same when it is claimed proves that the deadline read in between belongs to it.
        var state = Volatile.Read(ref _state);
        if (Volatile.Read(ref _deadline) <= now && TryClaim(state))
            _core.SetResult(new RespReply(new RespFailure(RespStage.Command, RespCause.TimedOut, RespExecution.MayHaveExecuted)));
    }

    /// <summary>Lets go of the command; the last owner makes it free for reuse.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _owners) != 0)
            return;
        _cancellation = default;
        _core.Reset();
        Abandon();
    }

    RespReply IValueTaskSource<RespReply>.GetResult(short token)
    {
        // Throws for a token of an earlier use, before anything is let go.
        if (_core.GetStatus(token) == ValueTaskSourceStatus.Pending)
            throw new InvalidOperationException("The command is not complete. Await it, once.");
        // Waits for a cancellation that is just running, so that it cannot reach the next use.
        _cancellation.Dispose();
        try
        {
            return _core.GetResult(token);
        }
        finally
        {
            Release();
        }
    }

    ValueTaskSourceStatus IValueTaskSource<RespReply>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<RespReply>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void TryCancel(CancellationToken token)
    {
        if (TryClaim(Volatile.Read(ref _state)))
            _core.SetException(new OperationCanceledException(token));
    }

    private bool TryClaim(long state) =>
        (state & StatusMask) == Waiting && Interlocked.CompareExchange(ref _state, (state & ~StatusMask) | Done, state) == state;
}
