using System.Numerics;
using System.Runtime.CompilerServices;

namespace Weir;

/// <summary>
/// Holds counters in this process. One-word algorithms decide with one compare-and-swap on a 32-byte slot; the others under a lock bit of
/// that slot. There is no lock that all keys share, no timer per key, and for one-word algorithms no object per key.
/// </summary>
/// <remarks>
/// Thread safe. Counters are spread over segments by their identity; a segment's lock is taken only to add a counter, to grow, to free idle counters, to list
/// and to change a counter's rule. Lock order: a segment's lock before lock bits, never the other way; lock bits in the order of identities.
/// </remarks>
public sealed partial class MemoryEngine : ILimiter, IDisposable
{
    private const int SegmentBits = 8;

    private readonly Segment[] _segments;
    private readonly CounterBudget _budget;
    private readonly long _sweepMicros;
    private readonly ITimer _sweeper;

    /// <summary>An engine that runs on the time of <paramref name="time"/>.</summary>
    /// <param name="options">Dimensions; null for the defaults.</param>
    /// <param name="time">Clock and timer; null for the system's.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public MemoryEngine(MemoryEngineOptions? options = null, TimeProvider? time = null)
    {
        options = MemoryEngineOptions.Check(options ?? new MemoryEngineOptions());
        time ??= TimeProvider.System;
        Clock = new DecisionClock(time);
        _budget = new CounterBudget(options.MaxCounters);
        _segments = new Segment[1 << SegmentBits];
        var now = Clock.NowMicros;
        for (var i = 0; i < _segments.Length; i++)
            _segments[i] = new Segment(_budget, now);
        _sweepMicros = options.SweepInterval.Ticks / TimeSpan.TicksPerMicrosecond;
        _sweeper = time.CreateTimer(static engine => ((MemoryEngine)engine!).Sweep(), this, options.SweepInterval, options.SweepInterval);
    }

    /// <summary>The clock that decisions go by.</summary>
    public DecisionClock Clock { get; }

    /// <inheritdoc />
    public long ActiveCounters => _budget.Used;

    /// <inheritdoc />
    public ValueTask<Decision> DecideAsync(in Charge charge) => new(Decide(charge, Clock.NowMicros));

    /// <inheritdoc />
    public ValueTask<Decision> DecideAsync(ReadOnlyMemory<Charge> charges, Memory<Decision> decisions) =>
        new(Decide(charges.Span, decisions.Span, Clock.NowMicros));

    /// <summary>Decides one charge at an instant that the caller has read from <see cref="Clock"/>, to share a reading among several.</summary>
    public Decision Decide(in Charge charge, long nowMicros) => charge.Rule.Algorithm switch
    {
        AlgorithmKind.TokenBucket => DecideWord<TokenBucket>(charge, nowMicros),
        AlgorithmKind.FixedWindow => DecideWord<FixedWindow>(charge, nowMicros),
        AlgorithmKind.SlidingCounter => DecideWord<SlidingCounter>(charge, nowMicros),
        AlgorithmKind.Concurrency => DecideCell<Concurrency, ConcurrencyState>(charge, nowMicros),
        _ => DecideCell<SlidingWindow, SlidingWindowState>(charge, nowMicros),
    };

    /// <inheritdoc />
    public ValueTask<long> SettleAsync(in Charge charge, long? stamp, int actual) => new(Settle(charge, stamp, actual, Clock.NowMicros));

    /// <inheritdoc />
    public ValueTask<bool> RenewAsync(in Charge charge, long stamp) => new(Renew(charge, stamp, Clock.NowMicros));

    /// <inheritdoc />
    public ValueTask<bool> ResetAsync(CounterId id) => new(Reset(id, Clock.NowMicros));

    /// <inheritdoc />
    public ValueTask<CounterPage> ListAsync(long cursor, int count, bool blockedOnly)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(cursor);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, 10_000);
        var page = new List<CounterView>();
        var now = Clock.NowMicros;
        // The cursor names a segment and a place in its order.
        var key = cursor & ((1L << Segment.ListKeyBits) - 1);
        for (var segment = (int)(cursor >> Segment.ListKeyBits); segment < _segments.Length; segment++)
        {
            key = _segments[segment].List(key, count, now, blockedOnly, page);
            if (key >= 0)
                return new(new CounterPage(page, ((long)segment << Segment.ListKeyBits) | key));
            key = 0;
        }
        return new(new CounterPage(page, 0));
    }

    /// <summary>Frees counters that have been idle for a second and corrects the clock. The engine does this on its own; call it to have memory back sooner.</summary>
    public void Sweep()
    {
        Clock.Discipline();
        var now = Clock.NowMicros;
        foreach (var segment in _segments)
            segment.Sweep(now);
    }

    /// <inheritdoc />
    public void Dispose() => _sweeper.Dispose();

    private Decision DecideWord<TAlgorithm>(in Charge charge, long nowMicros)
        where TAlgorithm : struct, IAlgorithm<ulong>
    {
        var rule = charge.Rule;
        var segment = SegmentOf(charge.Id);
        var wait = new SpinWait();
        while (true)
        {
            var table = segment.TableAt(ref nowMicros);
            var index = table.Find(charge.Id);
            if (index < 0)
            {
                var fresh = TAlgorithm.Decide(rule, TAlgorithm.Fresh(rule, nowMicros), nowMicros, charge.Cost, out _);
                if (!fresh.IsAllowed || charge.Cost == 0)
                    return fresh;
                if (!segment.TryAdd(charge, nowMicros))
                    return AtBound(rule);
                continue;
            }
            ref var slot = ref table[index];
            // The word before the rule: a change of rule writes them the other way round, so an old rule never meets a new word.
            var word = Volatile.Read(ref slot.Word);
            if (word > Modular.WordMask)
            {
                wait.SpinOnce(sleep1Threshold: -1);
                continue;
            }
            if (!ReferenceEquals(Volatile.Read(ref slot.Content), rule))
            {
                segment.Adopt(charge.Id, rule, nowMicros);
                continue;
            }
            var decision = TAlgorithm.Decide(rule, word, nowMicros, charge.Cost, out var next);
            if (next == word || Interlocked.CompareExchange(ref slot.Word, next, word) == word)
                return decision;
            Contended();
        }
    }

    private Decision DecideCell<TAlgorithm, TState>(in Charge charge, long nowMicros)
        where TAlgorithm : struct, IAlgorithm<TState>
    {
        var rule = charge.Rule;
        var segment = SegmentOf(charge.Id);
        while (true)
        {
            var table = segment.TableAt(ref nowMicros);
            var index = table.Find(charge.Id);
            if (index < 0)
            {
                if (charge.Cost == 0 || charge.Cost > rule.Permits)
                    return TAlgorithm.Decide(rule, TAlgorithm.Fresh(rule, nowMicros), nowMicros, charge.Cost, out _);
                if (!segment.TryAdd(charge, nowMicros))
                    return AtBound(rule);
                continue;
            }
            ref var slot = ref table[index];
            if (!Slot.TryLock(ref slot.Word))
            {
                Thread.Yield();
                continue;
            }
            if (slot.Content is Cell<TAlgorithm, TState> cell && ReferenceEquals(cell.Rule, rule))
                return DecideLocked(cell, ref slot, charge.Cost, nowMicros);
            Slot.Unlock(ref slot.Word, slot.Word);
            segment.Adopt(charge.Id, rule, nowMicros);
        }
    }

    private static Decision DecideLocked<TAlgorithm, TState>(Cell<TAlgorithm, TState> cell, ref Slot slot, int cost, long nowMicros)
        where TAlgorithm : struct, IAlgorithm<TState>
    {
        var state = slot.Word;
        try
        {
            var decision = cell.Decide(nowMicros, cost);
            if (decision.IsAllowed && cost > 0)
                state = (ulong)cell.IdleAt(nowMicros);
            return decision;
        }
        finally
        {
            Slot.Unlock(ref slot.Word, state);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Segment SegmentOf(CounterId id) => _segments[(int)(id.High >> (64 - SegmentBits))];

    // Nothing that still counts is thrown out for a newcomer; the rule says what the newcomer gets.
    private Decision AtBound(Rule rule) => new()
    {
        Outcome = rule.Failure == FailurePolicy.Open ? Outcome.Allowed : Outcome.Refused,
        Source = DecisionSource.Degraded,
        Rule = rule,
        RetryAfterMicros = rule.Failure == FailurePolicy.Open ? 0 : _sweepMicros + Segment.GraceMicros,
    };
}
