namespace Weir.Redis;

/// <summary>Decides when Redis cannot: by each rule's failure policy. Every such decision is marked and counted. Thread safe.</summary>
internal sealed class FailurePolicies(LocalShares shares, EngineCounters counters)
{
    private const long RetryMicros = 1_000_000;

    /// <summary>Decides one charge.</summary>
    public Decision Decide(in Charge charge, DegradedReason reason)
    {
        counters.AddDegraded(reason);
        return Decide(charge, Owes(reason));
    }

    /// <summary>Decides several charges, all or none.</summary>
    public Decision Decide(ReadOnlySpan<Charge> charges, Span<Decision> decisions, DegradedReason reason)
    {
        counters.AddDegraded(reason);
        for (var i = 0; i < charges.Length; i++)
            decisions[i] = Decide(charges[i], Owes(reason));
        decisions = decisions[..charges.Length];
        var refused = CombinedDecision.Refuses(charges, decisions);
        if (refused)
        {
            for (var i = 0; i < charges.Length; i++)
            {
                if (charges[i].Rule.Failure == FailurePolicy.Local && decisions[i].IsAllowed)
                    shares.GiveBack(charges[i], decisions[i].Stamp, Owes(reason));
            }
        }
        return CombinedDecision.Binding(charges, decisions, refused);
    }

    // A charge that Redis may have made is not made again.
    private static bool Owes(DegradedReason reason) => reason != DegradedReason.Timeout;

    private Decision Decide(in Charge charge, bool owes) => charge.Rule.Failure switch
    {
        FailurePolicy.Open => new Decision { Outcome = Outcome.Allowed, Source = DecisionSource.Degraded, Rule = charge.Rule },
        FailurePolicy.Local => shares.Decide(charge, owes) with { Source = DecisionSource.Degraded, Rule = charge.Rule },
        _ => new Decision { Outcome = Outcome.Refused, Source = DecisionSource.Degraded, Rule = charge.Rule, RetryAfterMicros = RetryMicros },
    };
}
