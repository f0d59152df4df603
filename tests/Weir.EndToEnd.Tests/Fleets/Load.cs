using System.Collections.Concurrent;
using System.Net.Sockets;
using Weir.TestKit.Redis;

namespace Weir.EndToEnd.Tests.Fleets;

/// <summary>A request's way: to which node, for what, and what became of it between two timestamps.</summary>
internal readonly record struct Trip(FleetNode Node, Tally Tally, Fate Fate, long Asked, long Answered)
{
    public double Milliseconds => TimeProvider.System.GetElapsedTime(Asked, Answered).TotalMilliseconds;
}

/// <summary>
/// Callers that ask nodes until they are stopped. Each waits for its answer before it asks again, and keeps a connection to every node that it asks, so that nothing
/// is sent twice.
/// </summary>
internal sealed class Load : IAsyncDisposable
{
    private static readonly TimeSpan PauseWhenNobodyListens = TimeSpan.FromMilliseconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly Func<int, int, (FleetNode Node, Tally Tally)> _next;
    private readonly TimeSpan _pause;
    private readonly List<Trip>[] _trips;
    private readonly Task[] _callers;
    private readonly ConcurrentDictionary<FleetNode, int> _lost = new();
    private int _count;

    private Load(int callers, TimeSpan pause, Func<int, int, (FleetNode Node, Tally Tally)> next)
    {
        (_next, _pause) = (next, pause);
        _trips = [.. Enumerable.Range(0, callers).Select(static _ => new List<Trip>())];
        _callers = [.. Enumerable.Range(0, callers).Select(c => Task.Run(() => CallAsync(c)))];
    }

    /// <summary>Requests so far that have come to an end.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Starts callers.</summary>
    /// <param name="callers">How many.</param>
    /// <param name="next">Of which node the n-th request of a caller asks what.</param>
    /// <param name="pause">How long a caller rests between requests, so that the machine is not busy with the callers alone; none by default.</param>
    public static Load Start(int callers, Func<int, int, (FleetNode Node, Tally Tally)> next, TimeSpan pause = default) => new(callers, pause, next);

    /// <summary>How many requests a node took and did not answer.</summary>
    public int LostAt(FleetNode node) => _lost.GetValueOrDefault(node);

    /// <summary>Waits for more requests to come to an end.</summary>
    public Task MoreAsync(int trips)
    {
        var wanted = Count + trips;
        return UntilAsync(() => Count >= wanted, $"{trips} more requests have ended");
    }

    /// <summary>Waits until callers have seen something.</summary>
    public async Task UntilAsync(Func<bool> condition, string what)
    {
        await Eventually.IsTrueAsync(() => condition() || Array.Exists(_callers, static c => c.IsFaulted), what, Fleet.Patience);
        await Task.WhenAll(_callers.Where(static c => c.IsFaulted));
    }

    /// <summary>Stops, once every caller has its last answer.</summary>
    /// <exception cref="TimeoutException">A caller was not answered in a minute.</exception>
    public async Task<List<Trip>> StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_callers).WaitAsync(Fleet.Patience);
        return [.. _trips.SelectMany(static t => t)];
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_callers).WaitAsync(Fleet.Patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task CallAsync(int caller)
    {
        var connections = new Dictionary<FleetNode, Connection>();
        try
        {
            for (var n = 0; !_stop.IsCancellationRequested; n++)
            {
                var (node, tally) = _next(caller, n);
                var asked = TimeProvider.System.GetTimestamp();
                var fate = await AskAsync(connections, node, tally);
                _trips[caller].Add(new Trip(node, tally, fate, asked, TimeProvider.System.GetTimestamp()));
                tally.Add(fate);
                Interlocked.Increment(ref _count);
                if (fate == Fate.Lost)
                    _lost.AddOrUpdate(node, 1, static (_, lost) => lost + 1);
                if (fate == Fate.NotSent)
                    await Task.Delay(PauseWhenNobodyListens);
                if (_pause > TimeSpan.Zero)
                    await Task.Delay(_pause);
            }
        }
        finally
        {
            foreach (var connection in connections.Values)
                connection.Dispose();
        }
    }

    private static async ValueTask<Fate> AskAsync(Dictionary<FleetNode, Connection> connections, FleetNode node, Tally tally)
    {
        if (!connections.TryGetValue(node, out var connection))
        {
            try
            {
                connections[node] = connection = await Connection.OpenAsync(node.Port);
            }
            catch (SocketException)
            {
                return Fate.NotSent;
            }
        }
        var fate = Fate.Lost;
        try
        {
            fate = await connection.AskAsync(tally.Request);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // Whether it was charged, only Redis knows.
        }
        if (fate == Fate.Lost || connection.IsEnding)
        {
            connections.Remove(node);
            connection.Dispose();
        }
        return fate;
    }
}
