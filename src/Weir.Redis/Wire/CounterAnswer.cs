namespace Weir.Redis;

/// <summary>
/// What the script says of one counter: its state before the batch took anything, and how many of the requests were granted. The decisions are computed
/// here, from the same functions as in memory.
/// </summary>
internal readonly struct CounterAnswer
{
    private readonly Rule _rule;
    private readonly long _now;
    private readonly long _a;
    private readonly long _b;
    private readonly long _c;
    private readonly long _d;

    private CounterAnswer(Rule rule, long now, int granted, long a, long b, long c = 0, long d = 0) =>
        (_rule, _now, Granted, _a, _b, _c, _d) = (rule, now, granted, a, b, c, d);

    /// <summary>How many requests were granted, in the order in which they came.</summary>
    public int Granted { get; }

    /// <summary>An answer made of what a state says, see the script's algorithms for the numbers.</summary>
    public static CounterAnswer Of(Rule rule, long now, int granted, long a, long b, long c = 0, long d = 0) => new(rule, now, granted, a, b, c, d);

    public static CounterAnswer Read(ref AnswerReader reader, Rule rule, long nowMicros)
    {
        var granted = reader.Count();
        return rule.Algorithm switch
        {
            AlgorithmKind.TokenBucket or AlgorithmKind.FixedWindow => new(rule, nowMicros, granted, reader.Number(), reader.Number()),
            AlgorithmKind.Concurrency => new(rule, nowMicros, granted, reader.Number(), reader.Number(), reader.Number(), reader.Number()),
            _ => new(rule, nowMicros, granted, reader.Number(), reader.Number(), reader.Number()),
        };
    }

    /// <summary>What the counter says to a request that costs nothing and comes instead of the others.</summary>
    public Decision Look() => Compute(0, 0);

    /// <summary>The decision of a single request.</summary>
    public Decision Decide(int cost) => Decide(0, cost);

    /// <summary>The decision of one of the requests.</summary>
    /// <param name="index">Its place among them.</param>
    /// <param name="cost">What each of them costs.</param>
    /// <exception cref="InvalidDataException">The script granted what this node would have refused, or the other way round.</exception>
    public Decision Decide(int index, int cost)
    {
        var decision = Compute(index, cost);
        if (decision.IsAllowed != index < Granted)
            throw new InvalidDataException($"The script and this node disagree about {_rule}: granted {Granted}, and request {index} of cost {cost} is {decision.Outcome}.");
        return decision;
    }

    private Decision Compute(int index, int cost)
    {
        var taken = (long)Math.Min(index, Granted) * cost;
        return _rule.Algorithm switch
        {
            AlgorithmKind.TokenBucket => TokenBucket.Decide(_rule, TokenBucket.StateOf(_rule, _now, Level(taken)), _now, cost, out _),
            AlgorithmKind.FixedWindow => FixedWindow.Decide(_rule, FixedWindow.StateOf(_rule, _a, _b + taken), _now, cost, out _),
            AlgorithmKind.SlidingCounter => SlidingCounter.Decide(_rule, SlidingCounter.StateOf(_rule, _a, _b, _c + taken), _now, cost, out _),
            AlgorithmKind.Concurrency => DecideLease(index, cost, taken),
            _ => DecideLog(index, cost, taken),
        };
    }

    /// <summary>What to remember of the counter after its requests, see the script's hints. False where it cannot be told in three numbers.</summary>
    public bool TryHint(int cost, out (long A, long B, long C) hint)
    {
        var taken = (long)Granted * cost;
        hint = _rule.Algorithm switch
        {
            AlgorithmKind.TokenBucket => FullAt(Level(taken)),
            AlgorithmKind.FixedWindow => (_a, _b + taken, 0),
            AlgorithmKind.SlidingCounter => (_a, _b, _c + taken),
            _ => (_a + taken, taken > 0 ? Math.Max(_now, _b) : _b, 0),
        };
        return _rule.Algorithm != AlgorithmKind.Concurrency;
    }

    private (long A, long B, long C) FullAt(long level)
    {
        var (micros, part) = Math.DivRem(level, _rule.EmissionDenominator);
        return (_now + micros, part, 0);
    }

    private long Level(long taken) => (_a * _rule.EmissionDenominator) + _b + (taken * _rule.EmissionNumerator);

    // The script keeps the log; its sum, newest instant and, for a refusal, the instant at which the request would fit, say all.
    private Decision DecideLog(int index, int cost, long taken)
    {
        var allowed = index < Granted;
        var never = cost > _rule.Permits;
        var sum = _a + taken + (allowed ? cost : 0);
        // An instant before the newest charge counts as that charge's.
        var instant = Math.Max(_now, _b);
        return new Decision
        {
            Outcome = allowed ? Outcome.Allowed : never ? Outcome.NeverFits : Outcome.Refused,
            Rule = _rule,
            Remaining = Math.Max(0, _rule.Permits - sum),
            ResetMicros = sum > _a ? instant + _rule.WindowMicros - _now : _b == 0 ? 0 : _b + _rule.WindowMicros - _now,
            RetryAfterMicros = allowed || never ? 0 : _c - _now,
            Stamp = allowed ? instant : 0,
        };
    }

    private Decision DecideLease(int index, int cost, long taken)
    {
        var allowed = index < Granted;
        var never = cost > _rule.Permits;
        var held = _a + taken + (allowed ? cost : 0);
        return new Decision
        {
            Outcome = allowed ? Outcome.Allowed : never ? Outcome.NeverFits : Outcome.Refused,
            Rule = _rule,
            Remaining = Math.Max(0, _rule.Permits - held),
            ResetMicros = Math.Max(_c, held > _a ? _now + _rule.WindowMicros : _c) - _now,
            RetryAfterMicros = allowed || never ? 0 : _d - _now,
            Stamp = allowed && cost > 0 ? _b + index + 1 : 0,
        };
    }
}
