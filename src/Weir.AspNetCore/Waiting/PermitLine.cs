namespace Weir.AspNetCore.Waiting;

/// <summary>
/// Takes permits of a limit for those who may wait for them: the limiter's answers close the gate, so that however many wait, the limiter is
/// asked by one at a time.
/// </summary>
internal sealed class PermitLine(IWeirClient client, TimeProvider time)
{
    // Leases come back when others give them back, which nobody announces.
    private static readonly TimeSpan LeaseWait = TimeSpan.FromMilliseconds(100);

    // Where the limiter names no time, as a failure policy.
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1);

    /// <summary>Asks until there is an answer that stands: a permit, or a refusal for longer than may be waited.</summary>
    /// <param name="gate">The gate of this limit and key; null to ask once.</param>
    /// <param name="charge">What to take.</param>
    /// <param name="patience">How long it may take.</param>
    /// <param name="cancellation">Gives up waiting. What was already asked may be charged.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="WeirException">The charge cannot be understood.</exception>
    public async ValueTask<Permit> AskAsync(Gate? gate, LimitCharge charge, Patience patience, CancellationToken cancellation)
    {
        while (true)
        {
            var entry = gate is null ? Entry.Given(default) : await patience.EnterAsync(gate, cancellation);
            if (!entry.IsGiven)
                return Permit.NotAsked(entry);
            Permit permit;
            try
            {
                permit = await AskAsync(charge, cancellation);
            }
            catch
            {
                gate?.Leave(entry.Pass, sent: true);
                throw;
            }
            var refused = permit.Result.Outcome == Outcome.Refused;
            gate?.Answer(entry.Pass, Hint(permit.Result, charge.Limit), refused);
            if (!refused || gate is null)
                return permit;
            if (gate.ClosedFor is { } closed && closed > patience.Left)
                return permit with { Stop = Stop.TooLong };
        }
    }

    /// <summary>Asks once. Completes at once when the answer is at hand.</summary>
    public ValueTask<Permit> AskAsync(in LimitCharge charge, CancellationToken cancellation)
    {
        if (charge.Limit.Rule?.Algorithm == AlgorithmKind.Concurrency && charge.Cost > 0)
            return LeaseAsync(charge, cancellation);
        var checking = client.CheckAsync(charge, cancellation);
        return checking.IsCompletedSuccessfully ? new ValueTask<Permit>(new Permit(checking.GetAwaiter().GetResult(), null, default)) : FinishAsync(checking);
    }

    private static async ValueTask<Permit> FinishAsync(ValueTask<LimitResult> checking) => new(await checking, null, default);

    private async ValueTask<Permit> LeaseAsync(LimitCharge charge, CancellationToken cancellation)
    {
        var reservation = await client.ReserveAsync(charge, cancellation: cancellation);
        return new Permit(reservation.Result, reservation.IsAllowed ? new HeldReservation(client, reservation, time) : null, default);
    }

    // What remains after a permit was taken tells how many may ask at once; the one after them learns when the next permit comes.
    private static LimitHint Hint(in LimitResult result, Limit limit)
    {
        if (result.Outcome != Outcome.Refused)
            return result.IsAllowed ? new LimitHint(null, Math.Max(1, result.Remaining), AskAgain) : LimitHint.None;
        var wait = result.RetryAfter > TimeSpan.Zero ? result.RetryAfter : AskAgain;
        return new LimitHint(limit.Rule?.Algorithm == AlgorithmKind.Concurrency && wait > LeaseWait ? LeaseWait : wait, null, null);
    }
}

/// <summary>What came of asking for a permit.</summary>
/// <param name="Result">The limiter's answer.</param>
/// <param name="Lease">For a limit of permits held at once: what has to be given back.</param>
/// <param name="Stop">Why there was no more waiting.</param>
internal readonly record struct Permit(LimitResult Result, HeldReservation? Lease, Stop Stop)
{
    /// <summary>The line was too long, or would have been.</summary>
    public static Permit NotAsked(Entry entry) =>
        new(new LimitResult { Outcome = Outcome.Refused, Source = DecisionSource.DenyCache, RetryAfter = entry.RetryAfter }, null, entry.Stop);
}
