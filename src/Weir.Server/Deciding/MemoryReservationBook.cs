using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Weir.Server.Deciding;

/// <summary>Reservations of this node alone, in its memory.</summary>
internal sealed class MemoryReservationBook(DecisionClock clock) : IReservationBook
{
    private readonly ConcurrentDictionary<string, Entry> _open = new(StringComparer.Ordinal);
    private long _nextCleanMicros;

    /// <summary>Whether there is room for one more; ended reservations are cleared when it runs out.</summary>
    public bool HasRoom()
    {
        if (_open.Count < IReservationBook.Max)
            return true;
        Clear();
        return _open.Count < IReservationBook.Max;
    }

    public ValueTask<string?> AddAsync(Reservation reservation)
    {
        if (clock.NowMicros > Volatile.Read(ref _nextCleanMicros))
            Clear();
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        Put(id, reservation);
        return new(id);
    }

    public ValueTask<Reservation?> TakeAsync(string id) => new(_open.TryRemove(id, out var found) && found.EndMicros > clock.NowMicros ? found.Reservation : null);

    public ValueTask PutBackAsync(string id, Reservation rest)
    {
        Put(id, rest);
        return ValueTask.CompletedTask;
    }

    public ValueTask<Reservation?> FindAsync(string id) => new(_open.TryGetValue(id, out var found) && found.EndMicros > clock.NowMicros ? found.Reservation : null);

    public ValueTask<bool> ExtendAsync(string id, Reservation reservation)
    {
        // An entry that somebody takes out meanwhile stays out.
        while (_open.TryGetValue(id, out var found))
        {
            if (_open.TryUpdate(id, new Entry(reservation, clock.NowMicros + reservation.TtlMicros), found))
                return new(true);
        }
        return new(false);
    }

    private void Put(string id, Reservation reservation) => _open[id] = new Entry(reservation, clock.NowMicros + reservation.TtlMicros);

    private void Clear()
    {
        var now = clock.NowMicros;
        Volatile.Write(ref _nextCleanMicros, now + 10_000_000);
        foreach (var (id, entry) in _open)
        {
            if (entry.EndMicros <= now)
                _open.TryRemove(id, out _);
        }
    }

    /// <param name="Reservation">What is reserved.</param>
    /// <param name="EndMicros">When it ends by itself, on the decision clock.</param>
    private sealed record Entry(Reservation Reservation, long EndMicros);
}
