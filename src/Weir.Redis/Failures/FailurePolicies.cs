namespace Weir.Redis;

/// <summary>Decides when Redis cannot: by each rule's failure policy. Every such decision is marked and counted. Thread safe.</summary>
internal sealed class FailurePolicies(LocalShares shares, EngineCounters counters)
{
    private const long RetryMicros = 1_000_000;

    /// <summary>Decides one charge.</summary>
    /// <param name="charge">The charge.</param>
    /// <param name="reason">Why Redis does not.</param>
    /// <param name="mayBeCharged">Whether Redis may have made the charge all the same: then it is not made again.</param>
    public Decision Decide(in Charge charge, DegradedReason reason, bool mayBeCharged)
    {
        counters.AddDegraded(reason);
        return Decide(charge, owes: !mayBeCharged);
    }

    /// <summary>Decides several charges, all or none.</summary>
    /// <param name="charges">The charges.</param>
    /// <param name="decisions">Where to put their decisions.</param>
    /// <param name="reason">Why Redis does not.</param>
    /// <param name="mayBeCharged">Whether Redis may have made the charges all the same: then they are not made again.</param>
    public Decision Decide(ReadOnlySpan<Charge> charges, Span<Decision> decisions, DegradedReason reason, bool mayBeCharged)
    {
        counters.AddDegraded(reason);
        for (var i = 0; i < charges.Length; i++)
            decisions[i] = Decide(charges[i], owes: !mayBeCharged);
        decisions = decisions[..charges.Length];
        var refused = CombinedDecision.Refuses(charges, decisions);
        if (refused)
        {
            for (var i = 0; i < charges.Length; i++)
            {
                if (charges[i].Rule.Failure == FailurePolicy.Local && decisions[i].IsAllowed)
                    shares.GiveBack(charges[i], decisions[i].Stamp, owes: !mayBeCharged);
            }
        }
        return CombinedDecision.Binding(charges, decisions, refused);
    }

    private Decision Decide(in Charge charge, bool owes) => charge.Rule.Failure switch
    {
        FailurePolicy.Open => new Decision { Outcome = Outcome.Allowed, Source = DecisionSource.Degraded, Rule = charge.Rule },
        FailurePolicy.Local => shares.Decide(charge, owes) with { Source = DecisionSource.Degraded, Rule = charge.Rule },
        _ => new Decision { Outcome = Outcome.Refused, Source = DecisionSource.Degraded, Rule = charge.Rule, RetryAfterMicros = RetryMicros },
    };
}
