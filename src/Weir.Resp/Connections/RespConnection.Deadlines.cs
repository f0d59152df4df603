using System.Net.Sockets;

namespace Weir.Resp;

/// <content>Deadlines: one coarse timer looks at everything that waits, about when the first of it is due, and rests when nothing waits.</content>
public sealed partial class RespConnection
{
    // Pauses between commands are mostly shorter than this many resolutions, and setting a timer costs more than one look.
    private const int IdleResolutions = 5;

    // In which a stall is seen in time.
    private const int LooksPerStall = 8;

    // For so long a reply may lie in the socket before its command fails.
    private static readonly TimeSpan LongestUnread = TimeSpan.FromMilliseconds(100);

    private readonly ITimer _timer;
    private readonly double _timestampsPerTick;
    private readonly long _resolution;
    private readonly long _stallTimestamps;
    private readonly long _longestUnreadTimestamps;

    // Guarded by the gate. When the timer fires next, but for its rounding.
    private bool _isArmed;
    private bool _wasIdle;
    private long _nextLook;

    private long _lastReceived;
    private long _waitingSince;

    // Of the timer alone, and of who arms it while it rests.
    private int _isTicking;
    private long _lastTick;
    private long _awakeSince;
    private long _unreadSince;

    private long ToTimestamps(TimeSpan duration) => (long)Math.Ceiling(duration.Ticks * _timestampsPerTick);

    // So that a command is looked at when it is due.
    private void ArmLocked(long now, long deadline)
    {
        if (!_isArmed)
            _lastTick = now;
        else if (deadline >= _nextLook)
            return;
        _isArmed = true;
        LookLocked(now, deadline);
    }

    private void LookLocked(long now, long at)
    {
        _nextLook = Math.Clamp(at, now + _resolution, now + Math.Max(_resolution, _stallTimestamps / LooksPerStall));
        // Again and again from then on, should this look find another under way.
        _timer.Change(TimeSpan.FromTicks((long)((_nextLook - now) / _timestampsPerTick)), _options.DeadlineResolution);
    }

    private void Tick()
    {
        // Timers may overlap when the machine is busy; one look at a time is enough.
        if (Interlocked.Exchange(ref _isTicking, 1) == 1)
            return;
        var now = _time.GetTimestamp();
        var (head, tail) = (Volatile.Read(ref _head), Volatile.Read(ref _tail));
        var isUnread = head < tail && IsUnread(now);
        for (var i = head; i < tail && !isUnread; i++)
            _queue[i & (_queue.Length - 1)]?.TryExpire(now);
        if (head < tail)
            EndIfStalled(now);
        _lastTick = now;
        LookAgainOrRest(now, isUnread);
        Volatile.Write(ref _isTicking, 0);
    }

    // Whether something has arrived that the receiving thread has not come to, because this process is busy: that says nothing about the server, and may be what the
    // commands wait for.
    private bool IsUnread(long now)
    {
        if (!_isDispatching && !HasArrived())
        {
            _unreadSince = 0;
            return false;
        }
        if (_unreadSince == 0 || Volatile.Read(ref _lastReceived) > _unreadSince)
            _unreadSince = now;
        return now - _unreadSince <= _longestUnreadTimestamps;
    }

    private bool HasArrived()
    {
        try
        {
            return _socket?.Available > 0;
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            return false;
        }
    }

    private void EndIfStalled(long now)
    {
        // When this process itself stood still, the reply may lie in the socket already: that time says nothing about the server.
        if (now - _lastTick > _stallTimestamps / 2)
            _awakeSince = now;
        var quietSince = Math.Max(Math.Max(Volatile.Read(ref _lastReceived), Volatile.Read(ref _waitingSince)), _awakeSince);
        if (now - quietSince > _stallTimestamps)
            End(RespCause.Stalled);
    }

    private void LookAgainOrRest(long now, bool isUnread)
    {
        lock (_gate)
        {
            if (!_isArmed)
                return;
            var (isIdle, wasIdle) = (Pending == 0, _wasIdle);
            _wasIdle = isIdle;
            if (!isIdle)
            {
                LookLocked(now, isUnread ? now : FirstDeadlineLocked(now));
            }
            else if (!wasIdle)
            {
                LookLocked(now, now + (IdleResolutions * _resolution));
            }
            else
            {
                _isArmed = false;
                _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }
    }

    // What is past has expired and only keeps its place.
    private long FirstDeadlineLocked(long now)
    {
        var first = long.MaxValue;
        for (var i = Volatile.Read(ref _head); i < _tail; i++)
        {
            var deadline = _queue[i & (_queue.Length - 1)]?.Deadline ?? 0;
            if (deadline > now && deadline < first)
                first = deadline;
        }
        return first;
    }
}
