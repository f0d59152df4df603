using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Weir.Server.Deciding;

/// <summary>What a reservation has charged, and how it can be settled.</summary>
/// <param name="Charges">The charges, as decided.</param>
/// <param name="Stamps">Each charge's stamp.</param>
/// <param name="TtlMicros">How long it stays open without being renewed.</param>
internal sealed record Reservation(Charge[] Charges, long[] Stamps, long TtlMicros)
{
    private long _endMicros;

    /// <summary>How long all that it charged is held without being renewed: leases may end before the reservation itself.</summary>
    public long HeldMicros { get; } = Charges.Where(static c => c.Rule.Algorithm == AlgorithmKind.Concurrency)
        .Select(static c => c.Rule.WindowMicros).Append(TtlMicros).Min();

    /// <summary>When it ends by itself, on the decision clock.</summary>
    public long EndMicros
    {
        get => Volatile.Read(ref _endMicros);
        set => Volatile.Write(ref _endMicros, value);
    }
}

/// <summary>
/// Open reservations. A reservation has charged its permits when it was made; committing it corrects the charge, and letting it end leaves the charge as it is.
/// So nothing that happens here, or is forgotten here, can admit too much.
/// </summary>
/// <remarks>Thread safe. Each reservation is settled at most once, by whoever removes it.</remarks>
internal sealed class ReservationBook(DecisionClock clock)
{
    /// <summary>Most reservations open at once.</summary>
    public const int Max = 100_000;

    private readonly ConcurrentDictionary<string, Reservation> _open = new(StringComparer.Ordinal);
    private long _nextCleanMicros;

    /// <summary>Whether there is room for one more; ended reservations are cleared when it runs out.</summary>
    public bool HasRoom()
    {
        if (_open.Count < Max)
            return true;
        Clear();
        return _open.Count < Max;
    }

    public string Add(Reservation reservation)
    {
        if (clock.NowMicros > Volatile.Read(ref _nextCleanMicros))
            Clear();
        reservation.EndMicros = clock.NowMicros + reservation.TtlMicros;
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        _open[id] = reservation;
        return id;
    }

    /// <summary>Takes a reservation out, to settle it.</summary>
    /// <returns>Null when it was settled, has ended or never was.</returns>
    public Reservation? Take(string id) => _open.TryRemove(id, out var found) && found.EndMicros > clock.NowMicros ? found : null;

    /// <summary>Finds an open reservation.</summary>
    public Reservation? Find(string id) => _open.TryGetValue(id, out var found) && found.EndMicros > clock.NowMicros ? found : null;

    private void Clear()
    {
        var now = clock.NowMicros;
        Volatile.Write(ref _nextCleanMicros, now + 10_000_000);
        foreach (var (id, reservation) in _open)
        {
            if (reservation.EndMicros <= now)
                _open.TryRemove(id, out _);
        }
    }
}
