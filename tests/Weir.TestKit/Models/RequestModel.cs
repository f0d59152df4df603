namespace Weir.TestKit;

/// <summary>One charge of a request to a model: of which counter, how much, and by which of its rule's flags.</summary>
public sealed record ModelAsk(string Counter, CounterModel Model, int Cost);

/// <summary>What a model answers to a request: each charge's own decision, the one that binds (−1: none) and whether the request is refused.</summary>
public sealed record ModelAnswer(ModelDecision[] Decisions, int Binding, bool Refused);

/// <summary>Several charges in one request, by definition: try them one after the other on copies; keep the copies' charges or none.</summary>
public static class RequestModel
{
    /// <summary>Decides without taking anything. Equal names are one counter.</summary>
    public static ModelAnswer Decide(IReadOnlyList<ModelAsk> asks, long now)
    {
        var copies = asks.DistinctBy(a => a.Counter).ToDictionary(a => a.Counter, a => a.Model.Clone());
        var decisions = new ModelDecision[asks.Count];
        for (var i = 0; i < asks.Count; i++)
        {
            decisions[i] = copies[asks[i].Counter].Decide(now, asks[i].Cost);
            if (decisions[i].IsAllowed && asks[i].Cost > 0)
                copies[asks[i].Counter].Take(now, asks[i].Cost);
        }
        var refused = Refuses(asks, decisions);
        if (refused)
            decisions = [.. asks.Select((ask, i) => NothingTaken(asks, ask, decisions[i], now))];
        return new ModelAnswer(decisions, Binding(asks, decisions, refused), refused);
    }

    // Of a refused request every charge says what its counter has now. One that refuses speaks of all that the request asks of its counter.
    private static ModelDecision NothingTaken(IReadOnlyList<ModelAsk> asks, ModelAsk ask, ModelDecision decision, long now) => decision.IsAllowed
        ? ask.Model.Decide(now, 0) with { Outcome = Outcome.Allowed, RetryAfterMicros = 0 }
        : ask.Model.Decide(now, asks.Where(a => a.Counter == ask.Counter).Sum(a => a.Cost));

    private static bool Refuses(IReadOnlyList<ModelAsk> asks, ModelDecision[] decisions)
    {
        var enforced = Enumerable.Range(0, asks.Count).Where(i => !asks[i].Model.Rule.Shadow).ToList();
        var quotas = enforced.Where(i => asks[i].Model.Rule.Quota).ToList();
        return enforced.Except(quotas).Any(i => !decisions[i].IsAllowed) || (quotas.Count > 0 && quotas.All(i => !decisions[i].IsAllowed));
    }

    private static int Binding(IReadOnlyList<ModelAsk> asks, ModelDecision[] decisions, bool refused)
    {
        var enforced = Enumerable.Range(0, asks.Count).Where(i => !asks[i].Model.Rule.Shadow).ToList();
        if (!refused)
            return enforced.Where(i => decisions[i].IsAllowed).OrderBy(i => decisions[i].Remaining).FirstOrDefault(-1);
        var refusing = enforced.Where(i => !asks[i].Model.Rule.Quota && !decisions[i].IsAllowed).ToList();
        // Quotas stop refusing as soon as the first of them allows.
        var quotas = enforced.Where(i => asks[i].Model.Rule.Quota).ToList();
        if (quotas.Count > 0 && quotas.All(i => !decisions[i].IsAllowed))
            refusing.Add(quotas.OrderBy(i => Wait(decisions[i])).First());
        return refusing.OrderByDescending(i => Wait(decisions[i])).ThenBy(i => asks[i].Model.Rule.Quota).ThenBy(i => i).First();
    }

    private static long Wait(ModelDecision decision) => decision.Outcome == Outcome.NeverFits ? long.MaxValue : decision.RetryAfterMicros;
}
