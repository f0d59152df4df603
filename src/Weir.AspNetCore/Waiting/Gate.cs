namespace Weir.AspNetCore.Waiting;

/// <summary>What one partition's answers said, and the requests that wait because of it, first come first served.</summary>
/// <remarks>
/// <para>
/// A gate is closed for as long as a refusal, or a remaining of 0, said. When that is over one request goes first, the scout, and its answer
/// says how many may follow: the server is not met by everybody who waited, at once.
/// </para>
/// <para>
/// Of a remaining above 0, requests under way are taken off: the server may not have counted them when it told. Once they are answered it has,
/// so that the least it told meanwhile is what remains. Only what it tells to a request that was sent later can be more.
/// </para>
/// <para>All state is under one lock, which is held for a few instructions. Waiters go on outside of it, on the pool.</para>
/// </remarks>
internal sealed partial class Gate : IDisposable
{
    /// <summary>How long the others wait for the scout's answer before another one goes.</summary>
    public static readonly TimeSpan ScoutTime = TimeSpan.FromSeconds(1);

    // Refused without a word about when to come back: 1 s, doubled with every further refusal, up to 32 s.
    private const int MaxDoublings = 5;

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly int _maxWaiting;
    private readonly TimeSpan _maxClosed;

    // Instants are times since _origin.
    private TimeSpan? _closedUntil;
    private long? _told;
    private TimeSpan _toldUntil;
    private long _toldAtPass;
    private bool _scouting;
    private long _scoutsAfter;
    private TimeSpan _nextScoutAt;
    private long _lastPass;
    private int _underWay;
    private int _refusalsInARow;
    private long _refusedUpTo;
    private bool _isDisposed;

    /// <param name="time">The clock and the timers.</param>
    /// <param name="maxWaiting">How many requests may wait at once.</param>
    /// <param name="maxClosed">For how long an answer is believed at most.</param>
    public Gate(TimeProvider time, int maxWaiting, TimeSpan maxClosed)
    {
        _time = time;
        _origin = time.GetTimestamp();
        _maxWaiting = maxWaiting;
        _maxClosed = maxClosed;
        _timer = time.CreateTimer(static gate => ((Gate)gate!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>How long it is known to be closed; zero when it is not.</summary>
    public TimeSpan ClosedFor
    {
        get
        {
            lock (_lock)
                return Until(_closedUntil ?? TimeSpan.Zero, Now());
        }
    }

    /// <summary>Takes a pass back, with what the answer says.</summary>
    /// <param name="pass">What <see cref="EnterAsync"/> gave.</param>
    /// <param name="hint">What the answer's fields say.</param>
    /// <param name="refused">The answer is a refusal for now, so that a time has to be found even if it tells none.</param>
    public void Answer(Pass pass, LimitHint hint, bool refused)
    {
        lock (_lock)
        {
            var now = Now();
            _underWay--;
            if (hint.Remaining is null)
                _told--;
            if (pass.IsScout && pass.Number > _scoutsAfter)
                _scouting = false;
            // Requests that were refused together are one refusal.
            if (pass.Number > _refusedUpTo)
            {
                _refusalsInARow = refused ? _refusalsInARow + 1 : 0;
                if (refused)
                    _refusedUpTo = _lastPass;
            }
            LearnLocked(now, pass, hint, refused);
            PumpLocked(now);
        }
    }

    /// <summary>Takes a pass back when there is no answer.</summary>
    /// <param name="pass">What <see cref="EnterAsync"/> gave.</param>
    /// <param name="sent">Whether something may have reached the server, which may have counted it.</param>
    public void Leave(Pass pass, bool sent)
    {
        lock (_lock)
        {
            var now = Now();
            _underWay--;
            if (sent)
                _told--;
            if (pass.IsScout && pass.Number > _scoutsAfter && _scouting)
                _nextScoutAt = now;
            PumpLocked(now);
        }
    }

    /// <summary>Learns from elsewhere: an answer that came to a request of another partition.</summary>
    public void Learn(LimitHint hint, bool refused)
    {
        lock (_lock)
        {
            var now = Now();
            LearnLocked(now, new Pass(++_lastPass, IsScout: false), hint, refused);
            PumpLocked(now);
        }
    }

    /// <summary>Sends everybody away who waits, and takes nobody in any more.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            RefuseLocked(static _ => true, TimeSpan.Zero);
        }
        _timer.Dispose();
    }

    private void LearnLocked(TimeSpan now, Pass pass, LimitHint hint, bool refused)
    {
        if ((hint.ClosedFor ?? (refused ? Unsaid() : null)) is { } closed)
        {
            var until = now + (closed < _maxClosed ? closed : _maxClosed);
            _closedUntil = until > _closedUntil.GetValueOrDefault() ? until : _closedUntil;
            _told = null;
            // Those who would wait in vain are told at once.
            RefuseLocked(waiter => waiter.Deadline < _closedUntil, Until(_closedUntil ?? now, now));
        }
        else if (hint is { Remaining: { } remaining, Reset: { } reset })
        {
            _told = pass.Number > _toldAtPass || _told is null ? remaining : Math.Min(_told.Value, remaining);
            _toldUntil = now + (reset < _maxClosed ? reset : _maxClosed);
            _toldAtPass = _lastPass;
        }
    }

    private TimeSpan Unsaid() => TimeSpan.FromSeconds(1 << Math.Clamp(_refusalsInARow - 1, 0, MaxDoublings));

    /// <summary>When the first in line may go, as far as is known. Not <paramref name="sure"/> when an answer may open the gate earlier.</summary>
    private TimeSpan OpensLocked(TimeSpan now, out bool sure)
    {
        sure = true;
        if (_closedUntil > now)
            return _closedUntil.Value;
        var over = _closedUntil is not null;
        _closedUntil = null;
        if (_told is not null && _toldUntil <= now)
        {
            over |= _told <= _underWay;
            _told = null;
        }
        if (over)
        {
            _scouting = true;
            _scoutsAfter = _lastPass;
            _nextScoutAt = now;
        }
        sure = _underWay == 0;
        if (_scouting)
            return _nextScoutAt;
        return _told <= _underWay ? _toldUntil : now;
    }

    private Pass PassLocked(TimeSpan now)
    {
        _underWay++;
        if (_scouting)
            _nextScoutAt = now + ScoutTime;
        return new Pass(++_lastPass, _scouting);
    }

    private TimeSpan Now() => _time.GetElapsedTime(_origin);

    private static TimeSpan Until(TimeSpan instant, TimeSpan now) => instant > now ? instant - now : TimeSpan.Zero;
}

/// <summary>The right to send one request.</summary>
/// <param name="Number">Passes are numbered from 1 in the order in which they are given.</param>
/// <param name="IsScout">Whether others wait for the answer.</param>
internal readonly record struct Pass(long Number, bool IsScout);
