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

    /// <summary>The decision that binds: of those that refuse the one to wait for longest, else the one with the least remaining.</summary>
    public static Decision Binding(ReadOnlySpan<Charge> charges, ReadOnlySpan<Decision> decisions, bool refused)
    {
        var binding = -1;
        for (var i = 0; i < charges.Length; i++)
        {
            if (charges[i].Rule.Shadow || decisions[i].IsAllowed == refused)
                continue;
            if (binding < 0 || Binds(decisions[i], decisions[binding], refused))
                binding = i;
        }
        return binding < 0 ? Decision.Unlimited : decisions[binding];
    }

    private static bool Binds(in Decision candidate, in Decision binding, bool refused)
    {
        if (!refused)
            return candidate.Remaining < binding.Remaining;
        if (candidate.Outcome != binding.Outcome)
            return candidate.Outcome == Outcome.NeverFits;
        return candidate.RetryAfterMicros > binding.RetryAfterMicros;
    }
}
