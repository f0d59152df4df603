namespace Weir.AspNetCore;

/// <summary>A reservation that is renewed while it is held and given back at the end. Thread safe.</summary>
internal sealed class HeldReservation
{
    private readonly IWeirClient _client;
    private readonly LimitReservation _reservation;
    private readonly ITimer _renewal;
    private int _isEnded;

    public HeldReservation(IWeirClient client, LimitReservation reservation, TimeProvider time)
    {
        (_client, _reservation) = (client, reservation);
        // Twice may fail before it ends.
        _renewal = time.CreateTimer(static own => ((HeldReservation)own!).Renew(), this, reservation.Holds / 3, reservation.Holds / 3);
    }

    /// <summary>Gives the permits back; the second time does nothing.</summary>
    public async ValueTask EndAsync()
    {
        if (Interlocked.Exchange(ref _isEnded, 1) != 0)
            return;
        await _renewal.DisposeAsync();
        await _client.CancelAsync(_reservation, CancellationToken.None);
    }

    private void Renew() => _ = _client.RenewAsync(_reservation).AsTask();
}
