namespace Weir.AspNetCore.Waiting;

internal sealed partial class Gate
{
    // Timers may fire a little early; the margin spares a second round.
    private static readonly TimeSpan TimerMargin = TimeSpan.FromMilliseconds(1);

    private readonly LinkedList<Waiter> _waiters = new();
    private readonly ITimer _timer;

    /// <summary>Waits for a pass, behind those who wait already.</summary>
    /// <param name="maxWait">How long at most. If it is known to take longer, the refusal comes at once.</param>
    /// <param name="cancellation">Gives the place in the line up.</param>
    /// <exception cref="OperationCanceledException">Cancelled while waiting; no pass was taken.</exception>
    public ValueTask<Entry> EnterAsync(TimeSpan maxWait, CancellationToken cancellation)
    {
        LinkedListNode<Waiter> place;
        lock (_lock)
        {
            var now = Now();
            var opens = OpensLocked(now, out var sure);
            if (_waiters.Count == 0 && opens <= now)
                return ValueTask.FromResult(Entry.Given(PassLocked(now)));
            var wait = Until(opens, now);
            if (maxWait <= TimeSpan.Zero || (sure && wait > maxWait) || _isDisposed)
                return ValueTask.FromResult(Entry.Refused(Stop.TooLong, wait));
            if (_waiters.Count >= _maxWaiting)
                return ValueTask.FromResult(Entry.Refused(Stop.LineFull, wait));
            place = _waiters.AddLast(new Waiter(now + maxWait));
            ArmLocked(now, opens);
        }
        return WaitAsync(place, maxWait, cancellation);
    }

    private async ValueTask<Entry> WaitAsync(LinkedListNode<Waiter> place, TimeSpan maxWait, CancellationToken cancellation)
    {
        try
        {
            return await place.Value.Task.WaitAsync(maxWait, _time, cancellation);
        }
        catch (Exception problem) when (problem is TimeoutException or OperationCanceledException)
        {
            lock (_lock)
            {
                var now = Now();
                if (place.List is not null)
                {
                    _waiters.Remove(place);
                    if (problem is OperationCanceledException)
                        throw;
                    return Entry.Refused(Stop.TooLong, Until(OpensLocked(now, out _), now));
                }
            }
            // It was answered at the same moment.
            var entry = await place.Value.Task;
            if (problem is TimeoutException || !entry.IsGiven)
                return entry;
            Leave(entry.Pass, sent: false);
            throw;
        }
    }

    private void OnTimer()
    {
        lock (_lock)
            PumpLocked(Now());
    }

    private void PumpLocked(TimeSpan now)
    {
        while (_waiters.First is { } first)
        {
            var opens = OpensLocked(now, out _);
            if (opens > now)
            {
                ArmLocked(now, opens);
                return;
            }
            _waiters.RemoveFirst();
            first.Value.SetResult(Entry.Given(PassLocked(now)));
        }
    }

    private void RefuseLocked(Func<Waiter, bool> which, TimeSpan retryAfter)
    {
        for (var place = _waiters.First; place is not null;)
        {
            var next = place.Next;
            if (which(place.Value))
            {
                _waiters.Remove(place);
                place.Value.SetResult(Entry.Refused(Stop.TooLong, retryAfter));
            }
            place = next;
        }
    }

    private void ArmLocked(TimeSpan now, TimeSpan opens) => _timer.Change(Until(opens, now) + TimerMargin, Timeout.InfiniteTimeSpan);

    // Answered under the lock, together with its leaving the line. Continuations run on the pool.
    private sealed class Waiter(TimeSpan deadline) : TaskCompletionSource<Entry>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public TimeSpan Deadline { get; } = deadline;
    }
}

/// <summary>Why a request may not be sent.</summary>
internal enum Stop
{
    /// <summary>It would have to wait, or has waited, longer than it may.</summary>
    TooLong,

    /// <summary>As many as may wait are waiting already.</summary>
    LineFull,
}

/// <summary>A pass, or why there is none.</summary>
/// <param name="IsGiven">Whether there is a pass.</param>
/// <param name="Pass">The pass.</param>
/// <param name="Stop">Why not.</param>
/// <param name="RetryAfter">When the gate opens as far as is known, from now.</param>
internal readonly record struct Entry(bool IsGiven, Pass Pass, Stop Stop, TimeSpan RetryAfter)
{
    public static Entry Given(Pass pass) => new(true, pass, default, default);

    public static Entry Refused(Stop stop, TimeSpan retryAfter) => new(false, default, stop, retryAfter);
}
