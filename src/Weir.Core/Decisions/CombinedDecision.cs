namespace Weir;

/// <summary>How the decisions of a request's charges become one. Engines share it.</summary>
public static class CombinedDecision
{
    /// <summary>True when the request is refused: an enforced rule refuses, or all of its quota rules do.</summary>
    public static bool Refuses(ReadOnlySpan<Charge> charges, ReadOnlySpan<Decision> decisions)
    {
        var quotas = 0;
        var refusedQuotas = 0;
        for (var i = 0; i < charges.Length; i++)
        {
            var rule = charges[i].Rule;
            if (rule.Shadow)
                continue;
            var refused = !decisions[i].IsAllowed;
            if (rule.Quota)
                (quotas, refusedQuotas) = (quotas + 1, refusedQuotas + (refused ? 1 : 0));
            else if (refused)
                return true;
        }
        return quotas > 0 && refusedQuotas == quotas;
    }

    /// <summary>
    /// The decision that binds. Of those that allow, the one with the least remaining. Of those that refuse, the one to wait for longest, where quota rules
    /// count as one that allows as soon as the first of them does.
    /// </summary>
    public static Decision Binding(ReadOnlySpan<Charge> charges, ReadOnlySpan<Decision> decisions, bool refused)
    {
        var binding = refused ? Refusing(charges, decisions) : Allowing(charges, decisions);
        return binding < 0 ? Decision.Unlimited : decisions[binding];
    }

    private static int Allowing(ReadOnlySpan<Charge> charges, ReadOnlySpan<Decision> decisions)
    {
        var binding = -1;
        for (var i = 0; i < charges.Length; i++)
        {
            if (!charges[i].Rule.Shadow && decisions[i].IsAllowed && (binding < 0 || decisions[i].Remaining < decisions[binding].Remaining))
                binding = i;
        }
        return binding;
    }

    private static int Refusing(ReadOnlySpan<Charge> charges, ReadOnlySpan<Decision> decisions)
    {
        var (binding, quota, quotasRefuse) = (-1, -1, true);
        for (var i = 0; i < charges.Length; i++)
        {
            if (charges[i].Rule.Shadow)
                continue;
            if (charges[i].Rule.Quota)
            {
                quotasRefuse &= !decisions[i].IsAllowed;
                quota = quota < 0 || WaitsLonger(decisions[quota], decisions[i]) ? i : quota;
            }
            else if (!decisions[i].IsAllowed && (binding < 0 || WaitsLonger(decisions[i], decisions[binding])))
            {
                binding = i;
            }
        }
        return quota >= 0 && quotasRefuse && (binding < 0 || WaitsLonger(decisions[quota], decisions[binding])) ? quota : binding;
    }

    private static bool WaitsLonger(in Decision decision, in Decision than) => decision.Outcome == than.Outcome
        ? decision.RetryAfterMicros > than.RetryAfterMicros
        : decision.Outcome == Outcome.NeverFits;
}
