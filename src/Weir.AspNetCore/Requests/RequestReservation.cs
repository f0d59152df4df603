namespace Weir.AspNetCore;

/// <summary>What a request has reserved: renewed while it lasts, and settled at its end.</summary>
internal sealed class RequestReservation : ILimitFeature
{
    private const int Unknown = -1;

    private readonly Backend _backend;
    private readonly LimitReservation _reservation;
    private readonly ITimer? _renewal;
    private int _cost = Unknown;

    public RequestReservation(Backend backend, LimitReservation reservation, TimeProvider time)
    {
        (_backend, _reservation) = (backend, reservation);
        if (reservation.Taken is not null)
            _renewal = time.CreateTimer(static own => ((RequestReservation)own!).Renew(), this, reservation.Holds / 3, reservation.Holds / 3);
    }

    public LimitResult Result => _reservation.Result;

    public void SetCost(int cost)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(cost);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(cost, RuleBounds.MaxCost);
        Volatile.Write(ref _cost, cost);
    }

    public async ValueTask EndAsync()
    {
        if (_renewal is null)
            return;
        await _renewal.DisposeAsync();
        var cost = Volatile.Read(ref _cost);
        await _backend.CommitAsync(_reservation, cost == Unknown ? null : cost);
    }

    // A renewal that fails is tried again with the next; what ends meanwhile stays charged.
    private void Renew() => _ = _backend.RenewAsync(_reservation).AsTask();
}
