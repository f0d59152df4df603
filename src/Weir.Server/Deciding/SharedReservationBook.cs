using System.Security.Cryptography;
using Weir.Redis;

namespace Weir.Server.Deciding;

/// <summary>Reservations of all nodes: made on one and settled on another.</summary>
internal sealed class SharedReservationBook(SharedReservations shared) : IReservationBook
{
    // What a failure policy allowed was charged nowhere, so there is nothing to keep: it must be answered also while there is no Redis to keep it in.
    private const string NothingCharged = "none-";

    private static readonly Reservation Nothing = new([], [], 60_000_000);

    // Only the shared book knows, and says so when it is asked.
    public bool HasRoom() => true;

    public async ValueTask<string?> AddAsync(Reservation reservation) => reservation.Charges.Length == 0
        ? NothingCharged + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))
        : await shared.AddAsync(Shared(reservation));

    public async ValueTask<Reservation?> TakeAsync(string id) => IsNothing(id) ? Nothing : Own(await shared.TakeAsync(id));

    public async ValueTask PutBackAsync(string id, Reservation rest)
    {
        if (!IsNothing(id))
            await shared.PutBackAsync(id, Shared(rest));
    }

    public async ValueTask<Reservation?> FindAsync(string id) => IsNothing(id) ? Nothing : Own(await shared.FindAsync(id));

    public async ValueTask<bool> ExtendAsync(string id, Reservation reservation) => IsNothing(id) || await shared.ExtendAsync(id, Shared(reservation));

    private static bool IsNothing(string id) => id.StartsWith(NothingCharged, StringComparison.Ordinal);

    private static SharedReservation Shared(Reservation reservation) => new(reservation.Charges, reservation.Stamps, reservation.TtlMicros);

    private static Reservation? Own(SharedReservation? found) => found is null ? null : new Reservation(found.Charges, found.Stamps, found.TtlMicros);
}
