namespace Weir;

/// <summary>
/// A counter whose state does not fit one word. Guarded by the lock bit of its slot: whoever holds the bit may call anything here, nobody else anything but
/// <see cref="Rule"/>.
/// </summary>
internal abstract class Cell
{
    private Rule _rule;

    protected Cell(Rule rule) => _rule = rule;

    /// <summary>The rule that the counter counts by. Changed under the lock bit, read by anyone.</summary>
    public Rule Rule
    {
        get => Volatile.Read(ref _rule);
        set => Volatile.Write(ref _rule, value);
    }

    /// <summary>
    /// Drops what has ended by now from the state itself. Must come before decisions that may be discarded: they drop and append, and what is
    /// appended may lie where the state to go back to still has what was dropped.
    /// </summary>
    public abstract void DropEnded(long nowMicros);

    /// <summary>Says what the state would decide, and changes nothing. After <see cref="DropEnded"/>.</summary>
    public abstract Decision Look(long nowMicros, int cost);

    /// <summary>Begins decisions that may be discarded: <see cref="DropEnded"/>, then what is pending is the state.</summary>
    public abstract void Begin(long nowMicros);

    /// <summary>Decides from the pending state and keeps what follows pending. Between <see cref="Begin"/> and <see cref="Commit"/>.</summary>
    public abstract Decision DecidePending(long nowMicros, int cost);

    /// <summary>Makes the pending state the state, and ends what <see cref="Begin"/> began.</summary>
    public abstract void Commit();

    /// <summary>Goes back to the state as <see cref="Begin"/> left it.</summary>
    public abstract void Discard();

    public abstract long Settle(long nowMicros, long cost, long? stamp, long actual);

    public abstract bool Renew(long nowMicros, long stamp);

    public abstract long Used(long nowMicros);

    public abstract long IdleAt(long nowMicros);

    public abstract void Reset(long nowMicros);

    public static Cell Create(Rule rule, long nowMicros) => rule.Algorithm switch
    {
        AlgorithmKind.SlidingWindow => new Cell<SlidingWindow, SlidingWindowState>(rule, nowMicros),
        AlgorithmKind.Concurrency => new Cell<Concurrency, ConcurrencyState>(rule, nowMicros),
        _ => throw new InvalidOperationException($"{rule.Algorithm.ToName()} keeps its state in a word."),
    };
}

/// <summary>The cell of one algorithm.</summary>
internal sealed class Cell<TAlgorithm, TState> : Cell
    where TAlgorithm : struct, IAlgorithm<TState>
{
    private TState _state;
    private TState _pending = default!;

    public Cell(Rule rule, long nowMicros)
        : base(rule) => _state = TAlgorithm.Fresh(rule, nowMicros);

    /// <summary>Decides, and takes the permits when it allows: the short way of a decision that stands alone.</summary>
    public Decision Decide(long nowMicros, int cost)
    {
        var decision = TAlgorithm.Decide(Rule, _state, nowMicros, cost, out var next);
        if (cost > 0 && decision.IsAllowed)
            _state = next;
        return decision;
    }

    public override void DropEnded(long nowMicros)
    {
        TAlgorithm.Decide(Rule, _state, nowMicros, 0, out var next);
        _state = next;
    }

    public override Decision Look(long nowMicros, int cost) => TAlgorithm.Decide(Rule, _state, nowMicros, cost, out _);

    public override void Begin(long nowMicros)
    {
        DropEnded(nowMicros);
        _pending = _state;
    }

    public override Decision DecidePending(long nowMicros, int cost)
    {
        var decision = TAlgorithm.Decide(Rule, _pending, nowMicros, cost, out var next);
        _pending = next;
        return decision;
    }

    public override void Commit() => _state = _pending;

    public override void Discard() => _pending = _state;

    public override long Settle(long nowMicros, long cost, long? stamp, long actual)
    {
        var settled = TAlgorithm.Settle(Rule, _state, nowMicros, cost, stamp, actual, out var next);
        _state = next;
        return settled;
    }

    public override bool Renew(long nowMicros, long stamp)
    {
        if (this is not Cell<Concurrency, ConcurrencyState> leases)
            return false;
        var renewed = Concurrency.Renew(Rule, leases._state, nowMicros, stamp, out var next);
        leases._state = next;
        return renewed;
    }

    public override long Used(long nowMicros) => TAlgorithm.Used(Rule, _state, nowMicros);

    public override long IdleAt(long nowMicros) => TAlgorithm.IdleAt(Rule, _state, nowMicros);

    public override void Reset(long nowMicros) => _state = TAlgorithm.Fresh(Rule, nowMicros);
}
