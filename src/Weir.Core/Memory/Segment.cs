namespace Weir;

/// <summary>
/// A part of the engine's counters: a current <see cref="Table"/> that is read without a lock, and a lock for adding, growing and freeing.
/// </summary>
/// <remarks>
/// Growing and freeing are one operation: copy what is not idle into a table of the right size. Each slot of the old table is frozen before it is copied, so that a
/// decision still holding the old table fails its compare-and-swap instead of charging a copy that nobody reads any more.
/// </remarks>
internal sealed class Segment
{
    /// <summary>Bits of the position in a listing.</summary>
    public const int ListKeyBits = 55;

    private const int MinCapacity = 16;

    /// <summary>
    /// States are compared modulo their width and are unambiguous for 13 minutes at least after they turn idle. Every table is swept more often than
    /// this, at the latest by the first decision that finds it overdue.
    /// </summary>
    private const long SweepDeadlineMicros = 5L * 60 * 1_000_000;

    /// <summary>
    /// How long a counter stays after it turned idle: 1 s. Keys that come back in a moment, as those of a bucket that refills quickly do, are then not freed and made
    /// again over and over.
    /// </summary>
    public const long GraceMicros = 1_000_000;

    private readonly Lock _lock = new();
    private readonly CounterBudget _budget;
    private Table _table;

    public Segment(CounterBudget budget, long nowMicros)
    {
        _budget = budget;
        _table = new Table(MinCapacity, nowMicros);
    }

    /// <summary>The table to look in now. A sweep that is overdue happens first.</summary>
    /// <param name="nowMicros">
    /// The instant of the decision. Set forward to the last sweep if it lies before it: what was idle by then has been freed, and would be missing from
    /// an earlier instant's window.
    /// </param>
    public Table TableAt(ref long nowMicros)
    {
        var table = Volatile.Read(ref _table);
        var swept = table.SweptAtMicros;
        if (nowMicros < swept)
            nowMicros = swept;
        return nowMicros - swept <= SweepDeadlineMicros ? table : TableAtSlow(nowMicros);
    }

    /// <summary>Makes a counter unless it exists.</summary>
    /// <param name="charge">Whose counter.</param>
    /// <param name="nowMicros">The instant of the decision.</param>
    /// <param name="room">
    /// Counters that the request is going to make here, this one included. A new counter may be idle until it is charged, so that growing frees it: there must be
    /// room for all of them before the first is made.
    /// </param>
    /// <returns>False when the budget is spent.</returns>
    public bool TryAdd(in Charge charge, long nowMicros, int room = 1)
    {
        lock (_lock)
        {
            if (_table.Find(charge.Id) >= 0)
                return true;
            if (!_table.HasRoomFor(room))
                RebuildLocked(nowMicros, room);
            if (!_budget.TryTake())
                return false;
            var rule = charge.Rule;
            var isWord = WordAlgorithms.Has(rule);
            object content = isWord ? rule : Cell.Create(rule, nowMicros);
            _table.Add(charge.Id.Low | 1, charge.Id.High, isWord ? WordAlgorithms.Fresh(rule, nowMicros) : IdleWord(nowMicros), content, charge.Label.Span);
            return true;
        }
    }

    /// <summary>Frees idle counters when they are worth the copy: an eighth of all, or any that have been idle for long.</summary>
    public void Sweep(long nowMicros)
    {
        lock (_lock)
        {
            var idle = CountIdleLocked(nowMicros);
            var overdue = nowMicros - _table.SweptAtMicros > SweepDeadlineMicros / 5;
            if (idle * 8 > _table.Used || (idle > 0 && overdue))
                RebuildLocked(nowMicros);
            else if (idle == 0)
                _table.SweptAtMicros = Math.Max(_table.SweptAtMicros, nowMicros);
        }
    }

    /// <summary>Lets a counter go on under another rule, keeping what it has used when the two count differently.</summary>
    public void Adopt(CounterId id, Rule rule, long nowMicros)
    {
        lock (_lock)
        {
            var index = _table.Find(id);
            if (index < 0 || ReferenceEquals(_table[index].Rule, rule))
                return;
            ref var slot = ref _table[index];
            // Tables change only under the segment's lock, so this slot is not frozen.
            Slot.TryLock(ref slot.Word);
            AdoptLocked(ref slot, rule, nowMicros);
        }
    }

    /// <summary>Copies counters into a page, in the order of their <see cref="ListKey"/>s, which stays when tables are rebuilt between pages.</summary>
    /// <returns>The key to go on from, or −1 at the end.</returns>
    public long List(long fromKey, int count, long nowMicros, bool blockedOnly, List<CounterView> page)
    {
        _ = TableAt(ref nowMicros);
        lock (_lock)
        {
            var found = new List<(long Key, int Index)>(_table.Used);
            for (var index = 0; index < _table.Capacity; index++)
            {
                if (_table[index].Low != 0 && ListKey(_table[index].Low) >= fromKey)
                    found.Add((ListKey(_table[index].Low), index));
            }
            found.Sort();
            var last = -1L;
            foreach (var (key, index) in found)
            {
                // Counters with one key stay on one page.
                if (page.Count >= count && key != last)
                    return key;
                AddViewLocked(index, nowMicros, blockedOnly, page);
                last = key;
            }
            return -1;
        }
    }

    private static long ListKey(ulong low) => (long)(low >> (64 - ListKeyBits));

    private static ulong IdleWord(long idleAtMicros) => (ulong)idleAtMicros & Modular.WordMask;

    private Table TableAtSlow(long nowMicros)
    {
        lock (_lock)
        {
            if (nowMicros - _table.SweptAtMicros > SweepDeadlineMicros)
                RebuildLocked(nowMicros);
            return _table;
        }
    }

    private void RebuildLocked(long nowMicros, int room = 1)
    {
        var old = _table;
        // All are frozen before any is counted: what is idle can then no longer come back to life and overfill the next table.
        for (var index = 0; index < old.Capacity; index++)
        {
            if (old[index].Low != 0)
                Freeze(ref old[index].Word);
        }
        var next = new Table(CapacityFor(old.Used - CountIdleLocked(nowMicros) + room), Math.Max(old.SweptAtMicros, nowMicros));
        for (var index = 0; index < old.Capacity; index++)
        {
            ref var slot = ref old[index];
            if (slot.Low != 0 && !IsIdleLocked(ref slot, nowMicros))
                next.Add(slot.Low, slot.High, slot.Word & Modular.WordMask, slot.Content, old.Label(index));
        }
        _budget.Return(old.Used - next.Used);
        Volatile.Write(ref _table, next);
    }

    // A third full at most: the next rebuild is then a sixth of the capacity away, however the counters come and go.
    private static int CapacityFor(int live)
    {
        var capacity = MinCapacity;
        while (capacity < live * 3)
            capacity *= 2;
        return capacity;
    }

    private static void Freeze(ref ulong word)
    {
        Slot.TryLock(ref word);
        Volatile.Write(ref word, (Volatile.Read(ref word) & Modular.WordMask) | Slot.Frozen);
    }

    private int CountIdleLocked(long nowMicros)
    {
        var idle = 0;
        for (var index = 0; index < _table.Capacity; index++)
        {
            ref var slot = ref _table[index];
            if (slot.Low != 0 && IsIdleLocked(ref slot, nowMicros))
                idle++;
        }
        return idle;
    }

    // Whether it was idle already a moment ago. States are read as of the last instant at which none can have become ambiguous: after a long sleep of the
    // process that lies before.
    private bool IsIdleLocked(ref Slot slot, long nowMicros)
    {
        var state = Volatile.Read(ref slot.Word) & Modular.WordMask;
        var since = nowMicros - GraceMicros;
        var safe = Math.Min(since, _table.SweptAtMicros + SweepDeadlineMicros);
        return (slot.Content is Rule rule ? WordAlgorithms.IdleAt(rule, state, safe) : (long)state) <= since;
    }

    private static void AdoptLocked(ref Slot slot, Rule rule, long nowMicros)
    {
        var old = slot.Rule;
        var state = slot.Word & Modular.WordMask;
        if (old.CountsLike(rule))
        {
            if (slot.Content is Cell cell)
                cell.Rule = rule;
            else
                slot.Content = rule;
            Slot.Unlock(ref slot.Word, state);
            return;
        }
        var used = slot.Content is Cell previous ? previous.Used(nowMicros) : WordAlgorithms.Used(old, state, nowMicros);
        if (WordAlgorithms.Has(rule))
        {
            WordAlgorithms.Settle(rule, WordAlgorithms.Fresh(rule, nowMicros), nowMicros, 0, null, Math.Min(used, rule.Burst), out var carried);
            // A thread that read the old word before the lock must not find the same bits after it, unless they mean the same.
            if (carried == state && slot.Content is Rule && !SharesUnits(old, rule))
                carried = used == 0 ? WordAlgorithms.Fresh(rule, nowMicros - (2 * rule.WindowMicros)) : carried + 1;
            slot.Content = rule;
            Slot.Unlock(ref slot.Word, carried);
            return;
        }
        var next = Cell.Create(rule, nowMicros);
        next.Settle(nowMicros, 0, null, Math.Min(used, rule.Permits));
        slot.Content = next;
        Slot.Unlock(ref slot.Word, IdleWord(next.IdleAt(nowMicros)));
    }

    private static bool SharesUnits(Rule old, Rule rule) =>
        old.Algorithm == rule.Algorithm && (rule.Algorithm != AlgorithmKind.TokenBucket || old.EmissionDenominator == rule.EmissionDenominator);

    private void AddViewLocked(int index, long nowMicros, bool blockedOnly, List<CounterView> page)
    {
        ref var slot = ref _table[index];
        Slot.TryLock(ref slot.Word);
        var state = slot.Word & Modular.WordMask;
        var rule = slot.Rule;
        Decision look, next;
        long used;
        if (slot.Content is Cell cell)
        {
            cell.DropEnded(nowMicros);
            (look, next) = (cell.Look(nowMicros, 0), cell.Look(nowMicros, 1));
            used = cell.Used(nowMicros);
        }
        else
        {
            look = WordAlgorithms.Decide(rule, state, nowMicros, 0, out _);
            next = WordAlgorithms.Decide(rule, state, nowMicros, 1, out _);
            used = WordAlgorithms.Used(rule, state, nowMicros);
        }
        Slot.Unlock(ref slot.Word, state);
        if (blockedOnly ? next.Outcome == Outcome.Refused : used > 0)
            page.Add(new CounterView(new CounterId(slot.High, slot.Low), CounterLabel.Format(_table.Label(index)), used, look, next));
    }
}
