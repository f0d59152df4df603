namespace Weir.TestKit;

/// <summary>An engine and its reference models answered differently.</summary>
public sealed class ContractException(string message) : Exception(message);

/// <summary>
/// Plays a trace on an engine and on reference models side by side, and throws at the first answer that differs. Knows no engine: whatever
/// implements <see cref="TestEngine"/> can be played.
/// </summary>
public sealed partial class ContractRun
{
    private const int Keys = 3;

    // One counter of one rule, as the model knows it and as the engine is asked about it.
    private sealed class Counter(string name, int rule, CounterId id, CounterModel model)
    {
        public string Name { get; } = name;

        public int Rule { get; } = rule;

        public CounterId Id { get; } = id;

        public CounterModel Model { get; set; } = model;
    }

    private sealed record Taken(Counter Counter, ModelCharge Charge, long Stamp)
    {
        public long Cost { get; set; }
    }

    private static readonly CounterHasher Hasher = new(new byte[32]);

    private readonly TestEngine _engine;
    private readonly Rule[] _rules;

    // The longest lease time that each rule ever had.
    private readonly TimeSpan[] _longestLeases;
    private readonly List<Counter> _counters = [];
    private readonly List<Taken> _taken = [];
    private readonly List<string> _log = [];
    private bool _timersFire = true;
    private Decision _last;
    private long _lastAt;

    /// <summary>A run of some rules, each with three counters that were never used.</summary>
    public ContractRun(TestEngine engine, params Rule[] rules)
    {
        _engine = engine;
        _rules = [.. rules];
        _longestLeases = new TimeSpan[rules.Length];
        for (var rule = 0; rule < rules.Length; rule++)
        {
            for (var key = 0; key < Keys; key++)
            {
                var name = $"{rule}/{key}";
                _counters.Add(new Counter(name, rule, Hasher.Combine(default, CounterLabel.OfKey(name)), CounterModel.Create(rules[rule])));
            }
        }
        _lastAt = engine.NowMicros;
    }

    /// <summary>Lets no timer fire during the run, so that the engine forgets nothing that an instant out of order could miss.</summary>
    public ContractRun WithoutTimers()
    {
        _timersFire = false;
        _engine.SuspendUntil(Now + 5_000_000);
        return this;
    }

    /// <summary>Plays the steps one after the other.</summary>
    /// <exception cref="ContractException">An answer differs from the model's.</exception>
    public void Play(IEnumerable<Step> steps)
    {
        foreach (var step in steps)
        {
            _log.Add($"@{_engine.NowMicros} {step}");
            Play(step);
        }
    }

    private void Play(Step step)
    {
        var counter = _counters[(int)((uint)step.A % _counters.Count)];
        switch (step.Kind)
        {
            case StepKind.Take:
                Take(counter, Cost(RuleOf(counter), step.B), Now);
                break;
            case StepKind.Look:
                Take(counter, 0, Now);
                break;
            case StepKind.Many:
                TakeMany(step);
                break;
            case StepKind.Settle:
            case StepKind.SettleUnstamped:
                Settle(step);
                break;
            case StepKind.Renew:
                Renew(step);
                break;
            case StepKind.Reset:
                Reset(counter);
                break;
            case StepKind.Advance:
                AdvanceTo(Now + Distance(RuleOf(counter), step.B));
                break;
            case StepKind.Suspend:
                _engine.SuspendUntil(Now + Distance(RuleOf(counter), step.B));
                break;
            case StepKind.Boundary:
                AdvanceToBoundary(step);
                break;
            case StepKind.Tidy:
                _engine.Tidy();
                break;
            case StepKind.ChangeRule:
                ChangeRule(step);
                break;
            case StepKind.List:
                List(step.A % 2 == 0, 1 + (int)((uint)step.B % 5));
                break;
            case StepKind.Stale when _engine.DecidesAtAnyInstant:
                Take(counter, Cost(RuleOf(counter), step.B), Math.Max(_engine.EarliestMicros, Now - Back(RuleOf(counter), step.B)));
                break;
        }
    }

    private long Now => _engine.NowMicros;

    private Rule RuleOf(Counter counter) => _rules[counter.Rule];

    private Charge ChargeOf(Counter counter, long cost) => new(RuleOf(counter), counter.Id, (int)cost, CounterLabel.OfKey(counter.Name));

    // The model goes on under the rule's present form at the same moment as the engine does: when the counter is next asked.
    private CounterModel ModelOf(Counter counter, long now)
    {
        var rule = RuleOf(counter);
        if (ReferenceEquals(counter.Model.Rule, rule))
            return counter.Model;
        if (CountsAlike(counter.Model.Rule, rule))
        {
            counter.Model.Rule = rule;
            return counter.Model;
        }
        _taken.RemoveAll(t => t.Counter == counter);
        return counter.Model = counter.Model.ConvertedTo(rule, now);
    }

    private static bool CountsAlike(Rule old, Rule rule) => old.Algorithm == rule.Algorithm && rule.Algorithm switch
    {
        AlgorithmKind.Concurrency => true,
        AlgorithmKind.TokenBucket => old.Permits * rule.WindowMicros == rule.Permits * old.WindowMicros && old.WindowMicros == rule.WindowMicros,
        _ => old.WindowMicros == rule.WindowMicros && old.Calendar?.Unit == rule.Calendar?.Unit && old.Calendar?.Zone.Id == rule.Calendar?.Zone.Id,
    };

    private void Take(Counter counter, int cost, long now)
    {
        var model = ModelOf(counter, now);
        var expected = model.Decide(now, cost);
        var charge = ChargeOf(counter, cost);
        var decision = now == Now ? _engine.Limiter.DecideAsync(charge).AsTask().GetAwaiter().GetResult() : _engine.DecideAt(charge, now);
        _log.Add($"    {counter.Name} cost {cost} at {now} under {charge.Rule}: {Show(decision)}");
        Compare(expected, decision);
        if (!ReferenceEquals(decision.Rule, charge.Rule))
            Fail($"the decision speaks of {decision.Rule} instead of {charge.Rule}");
        if (decision.IsAllowed && cost > 0)
            _taken.Add(new Taken(counter, model.Take(now, cost), decision.Stamp) { Cost = cost });
        (_last, _lastAt) = (decision, now);
    }

    private void TakeMany(Step step)
    {
        var random = new Random(step.B);
        var chosen = Enumerable.Range(0, 1 + random.Next(5)).Select(_ => _counters[random.Next(_counters.Count)]).ToArray();
        var asks = chosen.Select(c => new ModelAsk(c.Name, ModelOf(c, Now), Cost(RuleOf(c), random.Next(1000)))).ToArray();
        var charges = chosen.Select((c, i) => ChargeOf(c, asks[i].Cost)).ToArray();
        var expected = RequestModel.Decide(asks, Now);
        var decisions = new Decision[charges.Length];
        var binding = _engine.Limiter.DecideAsync(charges, decisions).AsTask().GetAwaiter().GetResult();
        for (var i = 0; i < charges.Length; i++)
        {
            _log.Add($"    {chosen[i].Name} cost {asks[i].Cost} under {charges[i].Rule}: {Show(decisions[i])}");
            Compare(expected.Decisions[i], decisions[i]);
            if (!expected.Refused && decisions[i].IsAllowed && asks[i].Cost > 0)
                _taken.Add(new Taken(chosen[i], asks[i].Model.Take(Now, asks[i].Cost), decisions[i].Stamp) { Cost = asks[i].Cost });
        }
        if (expected.Binding < 0 ? binding.Rule is not null : binding != decisions[expected.Binding])
            Fail($"charge {expected.Binding} binds, and not {Show(binding)} of {binding.Rule}");
        (_last, _lastAt) = (binding, Now);
    }

    private void Compare(ModelDecision expected, Decision decision)
    {
        var actual = new ModelDecision(decision.Outcome, decision.Remaining, decision.ResetMicros, decision.RetryAfterMicros);
        if (actual != expected)
            Fail($"the model says {expected} and the engine {actual}");
        if (decision.Source != DecisionSource.Exact)
            Fail($"the decision is {decision.Source}");
    }

    private void Fail(string difference) =>
        throw new ContractException($"{difference}\n{string.Join('\n', _log.TakeLast(40))}");

    private static string Show(in Decision decision) =>
        $"{decision.Outcome}, remaining {decision.Remaining}, reset {decision.ResetMicros}, retry {decision.RetryAfterMicros}, stamp {decision.Stamp}";
}
