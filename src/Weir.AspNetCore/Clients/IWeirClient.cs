namespace Weir.AspNetCore;

/// <summary>
/// Asks whether a request may go on: nodes, Redis or this process' memory, as the application was set up. Thread safe. A limiter that cannot be asked is no
/// exception but an answer of the limit's failure policy, marked <see cref="DecisionSource.Degraded"/>.
/// </summary>
public interface IWeirClient
{
    /// <summary>Decides one charge and takes its permits when it allows.</summary>
    /// <param name="charge">What to take.</param>
    /// <param name="cancellation">Gives up waiting. What was already asked may be charged.</param>
    /// <exception cref="WeirException">The charge cannot be understood, such as a cost out of its range or a domain that the nodes do not know.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<LimitResult> CheckAsync(LimitCharge charge, CancellationToken cancellation = default);

    /// <summary>Decides several charges of one request: if one refuses, none is charged.</summary>
    /// <param name="charges">1 to 64 charges, of one domain.</param>
    /// <param name="cancellation">Gives up waiting. What was already asked may be charged.</param>
    /// <exception cref="WeirException">The charges cannot be understood.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<LimitResult> CheckAsync(IReadOnlyList<LimitCharge> charges, CancellationToken cancellation = default);

    /// <summary>Takes the most that a request may cost, to be corrected by <see cref="CommitAsync"/>.</summary>
    /// <param name="charges">1 to 64 charges, of one domain. Those that are <see cref="LimitCharge.IsFinal"/> are charged as they are.</param>
    /// <param name="timeToLive">How long it stays open without being renewed: 1 s to 1 h. Default 1 minute.</param>
    /// <param name="cancellation">Gives up waiting. What was already asked may be charged.</param>
    /// <exception cref="WeirException">The charges cannot be understood.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<LimitReservation> ReserveAsync(IReadOnlyList<LimitCharge> charges, TimeSpan? timeToLive = null, CancellationToken cancellation = default);

    /// <summary>Corrects a reservation to what was really used. Leases of <see cref="AlgorithmKind.Concurrency"/> end.</summary>
    /// <param name="reservation">The reservation.</param>
    /// <param name="actual">
    /// What it really cost, 0 to 1,000,000. Less: the rest is given back. More: it is charged even if it does not fit. Null: what was reserved.
    /// </param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <returns>
    /// True when it was corrected; false when that was not possible: it has ended, was committed before, or nobody could be asked. What was reserved stays
    /// charged then.
    /// </returns>
    ValueTask<bool> CommitAsync(LimitReservation reservation, int? actual, CancellationToken cancellation = default);

    /// <summary>Gives a reservation, and its leases, their whole time again from now.</summary>
    /// <returns>False when it has ended, or nobody could be asked.</returns>
    ValueTask<bool> RenewAsync(LimitReservation reservation, CancellationToken cancellation = default);

    /// <summary>Gives back what a check has taken, so far as time has not given it back already.</summary>
    /// <param name="receipt">The receipt of an allowed check. Use it once.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <returns>Permits given back; 0 also when nobody could be asked, and what was taken stays charged.</returns>
    ValueTask<long> RefundAsync(LimitReceipt receipt, CancellationToken cancellation = default);
}

/// <summary>What <see cref="IWeirClient"/> says in other words.</summary>
public static class WeirClientExtensions
{
    /// <summary>Takes the most that a request may cost of one limit.</summary>
    /// <inheritdoc cref="IWeirClient.ReserveAsync" />
    public static ValueTask<LimitReservation> ReserveAsync(
        this IWeirClient client, LimitCharge charge, TimeSpan? timeToLive = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.ReserveAsync([charge], timeToLive, cancellation);
    }

    /// <summary>Gives all of a reservation back, but for charges that are final.</summary>
    /// <inheritdoc cref="IWeirClient.CommitAsync" />
    public static async ValueTask<bool> CancelAsync(this IWeirClient client, LimitReservation reservation, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return await client.CommitAsync(reservation, 0, cancellation);
    }
}

/// <summary>A request to the limiter that cannot be understood: a mistake of the caller or of the set-up. Nothing was charged.</summary>
public sealed class WeirException(string message, Exception? inner = null) : Exception(message, inner);
