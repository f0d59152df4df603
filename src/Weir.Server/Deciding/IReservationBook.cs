namespace Weir.Server.Deciding;

/// <summary>What a reservation has charged, and how it can be settled. Immutable.</summary>
/// <param name="Charges">The charges, as decided.</param>
/// <param name="Stamps">Each charge's stamp.</param>
/// <param name="TtlMicros">How long it stays open without being renewed.</param>
internal sealed record Reservation(Charge[] Charges, long[] Stamps, long TtlMicros)
{
    /// <summary>How long all that it charged is held without being renewed: leases may end before the reservation itself.</summary>
    public long HeldMicros { get; } = Charges.Where(static c => c.Rule.Algorithm == AlgorithmKind.Concurrency)
        .Select(static c => c.Rule.WindowMicros).Append(TtlMicros).Min();
}

/// <summary>
/// Open reservations. A reservation has charged its permits when it was made; committing it corrects the charge, and letting it end leaves the charge as it is.
/// So nothing that happens here, or is forgotten here, can admit too much.
/// </summary>
/// <remarks>Thread safe. Each reservation is settled at most once, by whoever takes it out.</remarks>
internal interface IReservationBook
{
    /// <summary>Most reservations open at once: 100,000.</summary>
    const int Max = 100_000;

    /// <summary>Whether there seems to be room for one more; asked before anything is charged.</summary>
    bool HasRoom();

    /// <summary>Keeps a reservation for its time.</summary>
    /// <returns>Its name; null when there are too many after all.</returns>
    /// <exception cref="Redis.SharedStateException">It was not kept.</exception>
    ValueTask<string?> AddAsync(Reservation reservation);

    /// <summary>Takes a reservation out, to settle it.</summary>
    /// <returns>Null when it was settled, has ended or never was.</returns>
    /// <exception cref="Redis.SharedStateException">It was not taken.</exception>
    ValueTask<Reservation?> TakeAsync(string id);

    /// <summary>Puts back what could not be settled, for another try.</summary>
    /// <exception cref="Redis.SharedStateException">It could not be put back either, and stays charged.</exception>
    ValueTask PutBackAsync(string id, Reservation rest);

    /// <summary>Finds an open reservation.</summary>
    /// <returns>Null when it was settled, has ended or never was.</returns>
    /// <exception cref="Redis.SharedStateException">It cannot be looked for.</exception>
    ValueTask<Reservation?> FindAsync(string id);

    /// <summary>Gives a reservation its whole time again, from now.</summary>
    /// <returns>False when it is not open any more.</returns>
    /// <exception cref="Redis.SharedStateException">Nobody knows whether it was done.</exception>
    ValueTask<bool> ExtendAsync(string id, Reservation reservation);
}
