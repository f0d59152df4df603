using Weir.LoadGen.Measuring;
using Weir.LoadGen.Profiles;
using Weir.LoadGen.Proof;
using Weir.LoadGen.Scheduling;

namespace Weir.LoadGen.Sending;

/// <summary>All couriers of a run: as many as requests may be in flight.</summary>
/// <remarks>
/// One thread at a time lets requests leave; any thread may bring a courier back. Both meet at one lock. The courier that came back last leaves first, so
/// that a light load keeps few connections busy.
/// </remarks>
internal sealed class Depot : IDepartures, IDisposable
{
    private readonly object _lock = new();
    private readonly Courier[] _home;
    private readonly TaskCompletionSource _allHome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _homeCount;
    private bool _waiting;
    private bool _closing;
    private long _next;
    private long _againUntil;

    /// <summary>Couriers wait at home; nothing is connected yet.</summary>
    /// <param name="targets">Where to, in turn.</param>
    /// <param name="options">How.</param>
    /// <param name="clock">The run's time.</param>
    /// <param name="stats">Learns of everything.</param>
    /// <param name="proof">Learns of every answer, or null.</param>
    public Depot(IReadOnlyList<Target> targets, SendOptions options, RunClock clock, RunStats stats, ProofLog? proof)
    {
        (Options, Clock, Stats, Proof) = (options, clock, stats, proof);
        Clients = [.. targets.Select(t => new TargetClient(t, options))];
        _home = new Courier[options.MaxInFlight];
        for (_homeCount = 0; _homeCount < _home.Length; _homeCount++)
            _home[_homeCount] = new Courier(this);
    }

    public SendOptions Options { get; }

    public RunClock Clock { get; }

    public RunStats Stats { get; }

    public ProofLog? Proof { get; }

    public TargetClient[] Clients { get; }

    /// <summary>Requests that wait for their answer.</summary>
    public int InFlight => _home.Length - Volatile.Read(ref _homeCount);

    /// <summary>Strictly in turn, so that counts per target differ by one at most.</summary>
    public int TargetOf(long sequence) => (int)(sequence % Clients.Length);

    /// <inheritdoc />
    public bool TrySend(in Departure departure)
    {
        Courier courier;
        lock (_lock)
        {
            if (_homeCount == 0)
                return false;
            courier = _home[--_homeCount];
        }
        courier.Send(departure);
        return true;
    }

    /// <inheritdoc />
    public void WaitForRoom(long nanos)
    {
        lock (_lock)
        {
            if (_homeCount > 0)
                return;
            _waiting = true;
            Monitor.Wait(_lock, TimeSpan.FromMilliseconds(Math.Max(1, nanos / 1_000_000)));
            _waiting = false;
        }
    }

    /// <summary>From now on a courier that comes home leaves again at once, until told otherwise.</summary>
    /// <param name="from">Number of the first such request.</param>
    /// <param name="untilNanos">When the last may leave, on the run's clock.</param>
    public void KeepGoing(long from, long untilNanos)
    {
        Volatile.Write(ref _next, from);
        Volatile.Write(ref _againUntil, untilNanos);
    }

    /// <summary>From now on a courier that comes home stays.</summary>
    public void Stay() => Volatile.Write(ref _againUntil, 0);

    /// <summary>The next request of a courier that came home, in a closed loop.</summary>
    public bool TryTakeNext(out Departure departure)
    {
        departure = default;
        if (Volatile.Read(ref _againUntil) is var until && until == 0 || Clock.Nanos is var now && now >= until)
            return false;
        departure = new Departure(Interlocked.Increment(ref _next) - 1, now, Phase.Steady);
        return true;
    }

    /// <inheritdoc />
    public void Skip(in Departure departure) => Stats.Skipped(departure);

    /// <summary>Takes a courier back.</summary>
    public void Return(Courier courier)
    {
        lock (_lock)
        {
            _home[_homeCount++] = courier;
            if (_waiting)
                Monitor.Pulse(_lock);
            if (_closing && _homeCount == _home.Length)
                _allHome.TrySetResult();
        }
    }

    /// <summary>Waits until every answer has come or timed out. Nothing may be sent any more.</summary>
    public async Task CloseAsync()
    {
        lock (_lock)
        {
            _closing = true;
            if (_homeCount == _home.Length)
                _allHome.TrySetResult();
        }
        await _allHome.Task;
        foreach (var courier in _home)
            courier.GoHome();
        await Task.WhenAll(_home.Select(static c => c.Loop));
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var courier in _home)
            courier?.Dispose();
        foreach (var client in Clients)
            client.Dispose();
    }
}
