namespace Weir.Redis;

/// <content>
/// Several limits in one request. In one shard the script decides them all or none. In a Cluster they can lie in several, which no script reaches together: then each
/// shard decides and charges its own, and if one refuses, what the others charged is given back.
/// </content>
/// <remarks>
/// The second way never admits more than the rules say, and never leaves a charge that was refused standing, unless a node dies or is overloaded, or Redis fails in
/// between; until it is given back, for about a round trip, such a charge can make other requests be refused, which nodes believe until they hear of the giving back.
/// </remarks>
public sealed partial class RedisEngine
{
    /// <inheritdoc />
    public ValueTask<Decision> DecideAsync(ReadOnlyMemory<Charge> charges, Memory<Decision> decisions)
    {
        if (charges.IsEmpty || charges.Length > ILimiter.MaxCharges)
            throw new ArgumentException($"A request has {charges.Length} charges and must have 1 to {ILimiter.MaxCharges}.", nameof(charges));
        if (decisions.Length < charges.Length)
            throw new ArgumentException($"There is room for {decisions.Length} decisions and {charges.Length} charges.", nameof(decisions));
        return ShardOfAll(charges.Span) is { } shard ? DecideTogether(shard, charges, decisions, isPart: false) : DecideApartAsync(charges, decisions);
    }

    private Shard? ShardOfAll(ReadOnlySpan<Charge> charges)
    {
        var shard = ShardOf(charges[0].Id);
        foreach (ref readonly var charge in charges[1..])
        {
            if (ShardOf(charge.Id) != shard)
                return null;
        }
        return shard;
    }

    private ValueTask<Decision> DecideTogether(Shard shard, ReadOnlyMemory<Charge> charges, Memory<Decision> decisions, bool isPart)
    {
        var operation = GroupOperation.Rent(charges, decisions, isPart, _policies);
        var task = operation.Task;
        shard.Enqueue(operation, _context.Time.GetTimestamp());
        return task;
    }

    private async ValueTask<Decision> DecideApartAsync(ReadOnlyMemory<Charge> charges, Memory<Decision> decisions)
    {
        var since = _context.Time.GetTimestamp();
        var parts = Split(charges.Span);
        var asked = new List<(int[] Places, Charge[] Charges, Decision[] Decisions, Task<Decision> Task)>(parts.Count);
        foreach (var (shard, places) in parts)
        {
            var part = Array.ConvertAll(places, i => charges.Span[i]);
            var answers = new Decision[part.Length];
            asked.Add((places, part, answers, DecideTogether(shard, part, answers, isPart: true).AsTask()));
        }
        await Task.WhenAll(asked.Select(static a => a.Task));
        foreach (var (places, _, answers, _) in asked)
        {
            for (var i = 0; i < places.Length; i++)
                decisions.Span[places[i]] = answers[i];
        }
        var refused = CombinedDecision.Refuses(charges.Span, decisions.Span);
        if (refused)
            await GiveBackAsync(charges, decisions, [.. asked.Where(static a => !Refuses(a.Charges, a.Decisions)).SelectMany(static a => a.Places)], since);
        return CombinedDecision.Binding(charges.Span, decisions.Span[..charges.Length], refused);
    }

    // A part charged nothing when an enforced rule in it refused.
    private static bool Refuses(Charge[] charges, Decision[] decisions)
    {
        for (var i = 0; i < charges.Length; i++)
        {
            if (!charges[i].Rule.Shadow && !charges[i].Rule.Quota && !decisions[i].IsAllowed)
                return true;
        }
        return false;
    }

    private List<(Shard Shard, int[] Places)> Split(ReadOnlySpan<Charge> charges)
    {
        var places = new Dictionary<Shard, List<int>>();
        for (var i = 0; i < charges.Length; i++)
        {
            var shard = ShardOf(charges[i].Id);
            if (!places.TryGetValue(shard, out var of))
                places[shard] = of = [];
            of.Add(i);
        }
        return [.. places.Select(static p => (p.Key, p.Value.ToArray()))];
    }

    // The caller waits for it no longer than for a decision; it goes on behind its back.
    private async Task GiveBackAsync(ReadOnlyMemory<Charge> charges, Memory<Decision> decisions, int[] taken, long since)
    {
        var places = Array.FindAll(taken, i => decisions.Span[i] is { IsAllowed: true, Source: not DecisionSource.Degraded } && charges.Span[i].Cost > 0);
        var giving = Task.WhenAll(places.Select(i => GiveBackAsync(charges.Span[i], decisions.Span[i].Stamp)));
        try
        {
            var left = _context.Options.DecisionTimeout - _context.Time.GetElapsedTime(since);
            var back = await giving.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, _context.Time);
            for (var i = 0; i < places.Length; i++)
                decisions.Span[places[i]] = decisions.Span[places[i]] with { Remaining = decisions.Span[places[i]].Remaining + back[i] };
        }
        catch (TimeoutException)
        {
            // What remains is then told as it was before.
        }
    }

    private async Task<long> GiveBackAsync(Charge charge, long stamp)
    {
        try
        {
            // Its name was told when it was made, and belongs to a caller who may be gone.
            return await SettleAsync(charge with { Label = default }, stamp, 0);
        }
        catch (EngineUnavailableException)
        {
            // It stays charged: too little is admitted, and never too much.
            return 0;
        }
    }
}
