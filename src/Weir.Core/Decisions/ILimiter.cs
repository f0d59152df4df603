namespace Weir;

/// <summary>
/// The engine's door: charges in, one decision out. Implementations are thread safe, and a call completes synchronously whenever the
/// answer is at hand.
/// </summary>
public interface ILimiter
{
    /// <summary>Counters in memory now, or in the shared store as last seen. 0 or more; may lag by seconds.</summary>
    long ActiveCounters { get; }

    /// <summary>Decides one charge and takes its permits when it allows.</summary>
    /// <remarks>Says what the rule says, also where it is a shadow rule and its refusal not to be enforced.</remarks>
    ValueTask<Decision> DecideAsync(in Charge charge);

    /// <summary>Decides several charges of one request: if one refuses, none is charged.</summary>
    /// <param name="charges">1 to <see cref="MaxCharges"/> charges. A counter named twice is charged twice.</param>
    /// <param name="decisions">Receives each charge's own decision; at least as long as <paramref name="charges"/>.</param>
    /// <returns>
    /// The binding decision: of those that refuse the one to wait for longest, else the one with the least remaining. Shadow rules never bind;
    /// quota rules refuse only all together, until the first of them allows.
    /// </returns>
    /// <exception cref="ArgumentException">No charge, too many, or too little room for the decisions.</exception>
    ValueTask<Decision> DecideAsync(ReadOnlyMemory<Charge> charges, Memory<Decision> decisions);

    /// <summary>Corrects what an allowed charge took, once its true cost is known.</summary>
    /// <param name="charge">The charge as it was decided.</param>
    /// <param name="stamp">Its decision's <see cref="Decision.Stamp"/>, or null to take the caller's word that the permits are still counted.</param>
    /// <param name="actual">
    /// What it really cost. Less: the difference is given back, so far as time has not given it back already. More: the difference is
    /// charged even if it does not fit, and later requests wait for it. 0 gives all back, which for <c>concurrency</c> releases the lease.
    /// </param>
    /// <returns>Permits given back (positive) or charged in addition (negative).</returns>
    ValueTask<long> SettleAsync(in Charge charge, long? stamp, int actual);

    /// <summary>Extends a lease of a <c>concurrency</c> rule by its whole lease time from now.</summary>
    /// <returns>False when the lease has ended or never was.</returns>
    ValueTask<bool> RenewAsync(in Charge charge, long stamp);

    /// <summary>Forgets what a counter has counted.</summary>
    /// <returns>False when there was no such counter.</returns>
    ValueTask<bool> ResetAsync(CounterId id);

    /// <summary>Lists counters a page at a time. A counter that lives through the whole listing is seen at least once, as with Redis' SCAN.</summary>
    /// <param name="cursor">0 to begin, then the page's <see cref="CounterPage.Next"/>.</param>
    /// <param name="count">About how many counters to return: 1 to 10,000.</param>
    /// <param name="blockedOnly">Only counters that would refuse a cost of 1 now.</param>
    ValueTask<CounterPage> ListAsync(long cursor, int count, bool blockedOnly);

    /// <summary>Most charges in one request: 64.</summary>
    const int MaxCharges = 64;
}

/// <summary>One live counter.</summary>
/// <param name="Id">Its identity.</param>
/// <param name="Label">What it counts, as people read it.</param>
/// <param name="Used">Permits counted against the limit now.</param>
/// <param name="Look">What it says to a request that costs nothing.</param>
/// <param name="Next">What it would say to a request that costs 1; nothing was taken.</param>
public readonly record struct CounterView(CounterId Id, string Label, long Used, Decision Look, Decision Next);

/// <summary>A page of counters.</summary>
/// <param name="Counters">The counters of this page.</param>
/// <param name="Next">Where the next page begins; 0 after the last.</param>
public sealed record CounterPage(IReadOnlyList<CounterView> Counters, long Next);
