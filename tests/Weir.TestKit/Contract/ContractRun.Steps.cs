namespace Weir.TestKit;

/// <content>The steps that are not decisions, and what the numbers of a step mean.</content>
public sealed partial class ContractRun
{
    private const long LongestDistance = 400L * 24 * 3600 * 1_000_000;

    private void Settle(Step step)
    {
        if (_taken.Count == 0)
            return;
        var taken = _taken[(int)((uint)step.A % _taken.Count)];
        var model = LookAt(taken.Counter);
        // A rule that has changed meanwhile may have made the counter forget its charges.
        if (!_taken.Contains(taken))
            return;
        var stamped = step.Kind == StepKind.Settle;
        var actual = Actual(taken.Cost, step.B);
        var expected = model.Settle(Now, taken.Cost, stamped ? taken.Charge : null, actual);
        var settled = _engine.Limiter.SettleAsync(ChargeOf(taken.Counter, taken.Cost), stamped ? taken.Stamp : null, (int)actual)
            .AsTask().GetAwaiter().GetResult();
        _log.Add($"    {taken.Counter.Name} from {taken.Cost} to {actual}, taken at {taken.Charge.At}: {settled}");
        if (settled != expected)
            Fail($"the model gives {expected} back and the engine {settled}");
        taken.Cost = actual;
        if (actual == 0)
            _taken.Remove(taken);
    }

    private void Renew(Step step)
    {
        var leases = _taken.Where(t => t.Counter.Model is ConcurrencyModel).ToList();
        if (leases.Count == 0)
            return;
        var lease = leases[(int)((uint)step.A % leases.Count)];
        if (LookAt(lease.Counter) is not ConcurrencyModel model || !_taken.Contains(lease))
            return;
        var expected = model.Renew(Now, lease.Charge);
        var renewed = _engine.Limiter.RenewAsync(ChargeOf(lease.Counter, lease.Cost), lease.Stamp).AsTask().GetAwaiter().GetResult();
        _log.Add($"    {lease.Counter.Name} lease {lease.Stamp}: {renewed}");
        if (renewed != expected)
            Fail($"the model says {expected} to a renewal and the engine {renewed}");
    }

    // Brings both the engine's counter and the model up to a rule that has changed.
    private CounterModel LookAt(Counter counter)
    {
        if (!ReferenceEquals(counter.Model.Rule, RuleOf(counter)))
            Take(counter, 0, Now);
        return counter.Model;
    }

    private void Reset(Counter counter)
    {
        var used = counter.Model.Used(Now) > 0;
        var reset = _engine.Limiter.ResetAsync(counter.Id).AsTask().GetAwaiter().GetResult();
        _log.Add($"    {counter.Name}: {reset}");
        if (used && !reset)
            Fail("a used counter was not there to be reset");
        counter.Model = CounterModel.Create(counter.Model.Rule);
        _taken.RemoveAll(t => t.Counter == counter);
    }

    private void AdvanceToBoundary(Step step)
    {
        var boundary = _lastAt + (step.A % 2 == 0 ? _last.RetryAfterMicros : _last.ResetMicros) + ((int)((uint)step.B % 3) - 1);
        if (boundary > Now && boundary - Now <= LongestDistance)
            AdvanceTo(boundary);
    }

    private void AdvanceTo(long micros)
    {
        if (_timersFire)
            _engine.AdvanceTo(micros);
        else
            _engine.SuspendUntil(micros);
    }

    private void ChangeRule(Step step)
    {
        var index = (int)((uint)step.A % _rules.Length);
        var old = _rules[index].ToOptions();
        var random = new Random(step.B);
        var options = random.Next(5) switch
        {
            0 => old with { Permits = old.Permits * 2 },
            1 => old with { Permits = (old.Permits + 1) / 2 },
            2 => old with { Burst = old.Algorithm == AlgorithmKind.TokenBucket ? (old.Burst / 2) + 1 : null },
            3 => old with { Window = old.Window * (random.Next(2) == 0 ? 3 : 0.5) },
            _ => RandomRules.Of((AlgorithmKind)random.Next(5), step.B).ToOptions() with { Name = old.Name, Path = old.Path },
        };
        if (old.Algorithm == AlgorithmKind.Concurrency && old.Window > _longestLeases[index])
            _longestLeases[index] = old.Window;
        // Also when the rule was another in between, a lease of then may still be held.
        if (_engine.ForgetsLongerLeases && options.Algorithm == AlgorithmKind.Concurrency && options.Window < _longestLeases[index])
            options = options with { Window = _longestLeases[index] };
        _rules[index] = Rule.TryCreate(options, []) ?? _rules[index];
        _log.Add($"    {_rules[index]}");
    }

    // Counters whose rule has changed are listed as they counted before.
    private void List(bool blockedOnly, int pageSize)
    {
        var expected = _counters
            .Where(c => blockedOnly ? c.Model.Decide(Now, 1).Outcome == Outcome.Refused : c.Model.Used(Now) > 0)
            .Select(c => $"{c.Name} used {c.Model.Used(Now)}").Order().ToList();
        var listed = new SortedSet<string>(StringComparer.Ordinal);
        long cursor = 0;
        do
        {
            var page = _engine.Limiter.ListAsync(cursor, pageSize, blockedOnly).AsTask().GetAwaiter().GetResult();
            listed.UnionWith(page.Counters.Select(c => $"{c.Label} used {c.Used}"));
            cursor = page.Next;
        }
        while (cursor != 0);
        if (!listed.SequenceEqual(expected.Order(StringComparer.Ordinal)))
            Fail($"the model lists [{string.Join(", ", expected)}] and the engine [{string.Join(", ", listed)}]");
    }

    private static int Cost(Rule rule, int pick) => (int)Math.Min(RuleBounds.MaxCost, ((uint)pick % 12) switch
    {
        0 => 0,
        1 or 2 or 3 or 4 => 1,
        5 => 2,
        6 => Math.Max(1, rule.Burst / 2),
        7 => Math.Max(1, rule.Burst - 1),
        8 => rule.Burst,
        9 => rule.Burst + 1,
        10 => (rule.Burst / 3) + 1,
        _ => 1 + ((uint)pick % (rule.Burst + 1)),
    });

    private static long Actual(long cost, int pick) => Math.Min(RuleBounds.MaxCost, ((uint)pick % 7) switch
    {
        0 or 1 => 0,
        2 => cost / 2,
        3 => Math.Max(0, cost - 1),
        4 => cost,
        5 => cost + 1,
        _ => (cost * 2) + 3,
    });

    private static long Distance(Rule rule, int pick) => Math.Min(LongestDistance, ((uint)pick % 16) switch
    {
        0 => 0,
        1 => 1,
        2 => 1 + (rule.WindowMicros / Math.Max(1, rule.Permits)),
        3 => rule.WindowMicros / Math.Max(1, rule.Permits) / 2,
        4 or 5 => rule.WindowMicros / 10,
        6 or 7 => rule.WindowMicros / 2,
        8 => rule.WindowMicros - 1,
        9 => rule.WindowMicros,
        10 => (2 * rule.WindowMicros) - 1,
        11 => 3 * rule.WindowMicros,
        12 => 1_000_000,
        13 => 20L * 60 * 1_000_000,
        14 => 3_700L * 1_000_000,
        _ => ((uint)pick % 40) * 24L * 3_600 * 1_000_000,
    });

    private static long Back(Rule rule, int pick) => 1 + (((uint)pick / 12 % 4) switch
    {
        0 => 0,
        1 => 50,
        2 => rule.WindowMicros / 7,
        _ => rule.WindowMicros,
    });
}
