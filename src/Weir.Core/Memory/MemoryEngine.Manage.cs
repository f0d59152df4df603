namespace Weir;

/// <content>Operations on one existing counter outside the decision path. Each works under the slot's lock bit.</content>
public sealed partial class MemoryEngine
{
    private static long _contentions;

    /// <summary>Lost compare-and-swaps in this process since it started: proof, in tests, that threads really met at a counter.</summary>
    internal static long Contentions => Volatile.Read(ref _contentions);

    private static void Contended() => Interlocked.Increment(ref _contentions);

    internal long Settle(in Charge charge, long? stamp, int actual, long nowMicros)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(actual);
        while (true)
        {
            if (!TryLock(charge.Id, ref nowMicros, out var table, out var index))
            {
                // A counter that went idle has given everything back; only an additional charge needs a new one.
                if (actual <= charge.Cost || charge.Rule.Permits == 0 || !SegmentOf(charge.Id).TryAdd(charge, nowMicros))
                    return 0;
                continue;
            }
            ref var slot = ref table[index];
            if (ReferenceEquals(slot.Rule, charge.Rule))
                return SettleLocked(charge, ref slot, stamp, actual, nowMicros);
            Slot.Unlock(ref slot.Word, slot.Word);
            SegmentOf(charge.Id).Adopt(charge.Id, charge.Rule, nowMicros);
        }
    }

    private static long SettleLocked(in Charge charge, ref Slot slot, long? stamp, int actual, long nowMicros)
    {
        var state = slot.Word & Modular.WordMask;
        try
        {
            if (slot.Content is not Cell cell)
                return WordAlgorithms.Settle(charge.Rule, state, nowMicros, charge.Cost, stamp, actual, out state);
            var settled = cell.Settle(nowMicros, charge.Cost, stamp, actual);
            state = (ulong)cell.IdleAt(nowMicros);
            return settled;
        }
        finally
        {
            Slot.Unlock(ref slot.Word, state);
        }
    }

    private bool Renew(in Charge charge, long stamp, long nowMicros)
    {
        if (!TryLock(charge.Id, ref nowMicros, out var table, out var index))
            return false;
        ref var slot = ref table[index];
        var state = slot.Word;
        var renewed = false;
        if (slot.Content is Cell cell && (renewed = cell.Renew(nowMicros, stamp)))
            state = (ulong)cell.IdleAt(nowMicros);
        Slot.Unlock(ref slot.Word, state);
        return renewed;
    }

    private bool Reset(CounterId id, long nowMicros)
    {
        if (!TryLock(id, ref nowMicros, out var table, out var index))
            return false;
        ref var slot = ref table[index];
        var state = (ulong)nowMicros;
        if (slot.Content is Cell cell)
            cell.Reset(nowMicros);
        else
            state = WordAlgorithms.Fresh(slot.Rule, nowMicros);
        Slot.Unlock(ref slot.Word, state);
        return true;
    }

    private bool TryLock(CounterId id, ref long nowMicros, out Table table, out int index)
    {
        while (true)
        {
            table = SegmentOf(id).TableAt(ref nowMicros);
            index = table.Find(id);
            if (index < 0)
                return false;
            if (Slot.TryLock(ref table[index].Word))
                return true;
            Thread.Yield();
        }
    }
}
