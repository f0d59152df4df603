namespace Weir.AspNetCore;

/// <summary>Who decides. Thread safe.</summary>
internal abstract class Backend : IAsyncDisposable
{
    /// <summary>Decides a check, of which the caller lets go: it may be used again as soon as the answer was taken.</summary>
    public abstract ValueTask<LimitResult> CheckAsync(PendingCheck check);

    /// <summary>Reserves what a check asks. The caller keeps the check, unchanged, until the answer.</summary>
    public abstract ValueTask<LimitReservation> ReserveAsync(PendingCheck check, TimeSpan timeToLive);

    /// <summary>Corrects a reservation; without a number it stays as it is, and only leases end.</summary>
    /// <returns>Whether it was corrected.</returns>
    public abstract ValueTask<bool> CommitAsync(LimitReservation reservation, int? actual);

    /// <returns>Whether it still holds.</returns>
    public abstract ValueTask<bool> RenewAsync(LimitReservation reservation);

    /// <returns>Permits given back.</returns>
    public abstract ValueTask<long> RefundAsync(LimitReceipt receipt);

    /// <summary>Begins, before the application listens. Returns also when nobody can be asked yet.</summary>
    /// <exception cref="WeirException">Something is wrong that will not cure itself.</exception>
    public virtual Task StartAsync(CancellationToken cancellation) => Task.CompletedTask;

    public abstract ValueTask DisposeAsync();
}
