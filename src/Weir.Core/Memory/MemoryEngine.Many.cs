using System.Diagnostics;

namespace Weir;

/// <content>
/// Several charges in one decision: take the lock bits of all counters in the order of their identities, decide all, then commit all or none.
/// </content>
public sealed partial class MemoryEngine
{
    [ThreadStatic]
    private static Held[]? _held;

    /// <summary>Decides several charges at an instant that the caller has read from <see cref="Clock"/>.</summary>
    /// <inheritdoc cref="DecideAsync(ReadOnlyMemory{Charge}, Memory{Decision})"/>
    public Decision Decide(ReadOnlySpan<Charge> charges, Span<Decision> decisions, long nowMicros)
    {
        if (charges.IsEmpty || charges.Length > ILimiter.MaxCharges)
            throw new ArgumentException($"A request has {charges.Length} charges and must have 1 to {ILimiter.MaxCharges}.", nameof(charges));
        if (decisions.Length < charges.Length)
            throw new ArgumentException($"There is room for {decisions.Length} decisions and {charges.Length} charges.", nameof(decisions));
        var held = _held ??= new Held[ILimiter.MaxCharges];
        Span<byte> places = stackalloc byte[charges.Length];
        var counters = Sort(charges, places, held);
        Decision binding;
        do
        {
            while (!TryHold(charges, held.AsSpan(0, counters), ref nowMicros))
                Thread.Yield();
        }
        while (!TryDecideHeld(charges, decisions, places, held.AsSpan(0, counters), nowMicros, out binding));
        return binding;
    }

    /// <summary>
    /// One counter of a request; <see cref="Table"/> is set while its lock bit is held. A counter that does not exist is decided as never used, and made only once
    /// a request is allowed that charges it: then it is <see cref="Wanted"/>.
    /// </summary>
    private struct Held
    {
        public CounterId Id;
        public int Charge;
        public Table? Table;
        public int Index;
        public Cell? Cell;
        public ulong Word;
        public ulong Pending;
        public bool Wanted;
        public bool AtBound;

        public readonly ref Slot Slot => ref Table![Index];
    }

    // Counters in the order of their identities, each once; places says for every charge which counter is its own.
    private static int Sort(ReadOnlySpan<Charge> charges, Span<byte> places, Held[] held)
    {
        var counters = 0;
        for (var charge = 0; charge < charges.Length; charge++)
        {
            var at = counters;
            while (at > 0 && charges[charge].Id < held[at - 1].Id)
                at--;
            if (at > 0 && charges[charge].Id == held[at - 1].Id)
                continue;
            Array.Copy(held, at, held, at + 1, counters - at);
            held[at] = new Held { Id = charges[charge].Id, Charge = charge };
            counters++;
        }
        for (var charge = 0; charge < charges.Length; charge++)
        {
            while (held[places[charge]].Id != charges[charge].Id)
                places[charge]++;
        }
        return counters;
    }

    // Segment locks may not be taken while lock bits are held, so whatever needs one first gives back all bits and begins again.
    private bool TryHold(ReadOnlySpan<Charge> charges, Span<Held> held, ref long nowMicros)
    {
        for (var i = 0; i < held.Length; i++)
        {
            ref var counter = ref held[i];
            if (counter.AtBound)
                continue;
            ref readonly var charge = ref charges[counter.Charge];
            var segment = SegmentOf(counter.Id);
            var table = segment.TableAt(ref nowMicros);
            var index = table.Find(counter.Id);
            if (index < 0 && counter.Wanted)
            {
                Release(held);
                counter.AtBound = !segment.TryAdd(charge, nowMicros, WantedIn(segment, held[i..]));
                return false;
            }
            if (index < 0)
            {
                HoldFresh(charge.Rule, ref counter, nowMicros);
                continue;
            }
            if (!Slot.TryLock(ref table[index].Word))
            {
                Release(held);
                return false;
            }
            (counter.Table, counter.Index) = (table, index);
            if (!ReferenceEquals(counter.Slot.Rule, charge.Rule))
            {
                Release(held);
                segment.Adopt(counter.Id, charge.Rule, nowMicros);
                return false;
            }
            counter.Word = counter.Pending = counter.Slot.Word & Modular.WordMask;
            counter.Cell = counter.Slot.Content as Cell;
            counter.Cell?.Begin(nowMicros);
        }
        return true;
    }

    private static void HoldFresh(Rule rule, ref Held counter, long nowMicros)
    {
        if (WordAlgorithms.Has(rule))
        {
            counter.Word = counter.Pending = WordAlgorithms.Fresh(rule, nowMicros);
            return;
        }
        counter.Cell = Cell.Create(rule, nowMicros);
        counter.Cell.Begin(nowMicros);
    }

    private int WantedIn(Segment segment, Span<Held> held)
    {
        var wanted = 0;
        foreach (ref var counter in held)
            wanted += counter.Wanted && !counter.AtBound && SegmentOf(counter.Id) == segment ? 1 : 0;
        return wanted;
    }

    private static void Release(Span<Held> held)
    {
        foreach (ref var counter in held)
        {
            if (counter.Table is not null)
            {
                counter.Cell?.Discard();
                Slot.Unlock(ref counter.Slot.Word, counter.Slot.Word);
            }
            (counter.Table, counter.Cell) = (null, null);
        }
    }

    // False when counters have to be made first.
    private bool TryDecideHeld(
        ReadOnlySpan<Charge> charges, Span<Decision> decisions, Span<byte> places, Span<Held> held, long nowMicros, out Decision binding)
    {
        try
        {
            for (var i = 0; i < charges.Length; i++)
                decisions[i] = DecideOne(charges[i], charges[i].Cost, ref held[places[i]], nowMicros);
            var refused = CombinedDecision.Refuses(charges, decisions[..charges.Length]);
            if (refused)
                LookAgain(charges, decisions, places, held, nowMicros);
            else if (WantsMissing(charges, decisions, places, held))
                return Later(out binding);
            else
                Commit(held, nowMicros);
            binding = CombinedDecision.Binding(charges, decisions[..charges.Length], refused);
            return true;
        }
        finally
        {
            Release(held);
        }
    }

    private static bool Later(out Decision binding)
    {
        binding = default;
        return false;
    }

    private static bool WantsMissing(ReadOnlySpan<Charge> charges, Span<Decision> decisions, Span<byte> places, Span<Held> held)
    {
        var any = false;
        for (var i = 0; i < charges.Length; i++)
        {
            ref var counter = ref held[places[i]];
            if (counter.Table is not null || counter.AtBound || charges[i].Cost == 0 || !decisions[i].IsAllowed)
                continue;
            any = counter.Wanted = true;
        }
        return any;
    }

    private Decision DecideOne(in Charge charge, int cost, ref Held counter, long nowMicros)
    {
        if (counter.AtBound)
            return AtBound(charge.Rule);
        if (counter.Cell is { } cell)
            return cell.DecidePending(nowMicros, cost);
        var decision = WordAlgorithms.Decide(charge.Rule, counter.Pending, nowMicros, cost, out var next);
        counter.Pending = next;
        return decision;
    }

    // Nothing is charged, so what the allowing limits would have left is not what they have left.
    private void LookAgain(ReadOnlySpan<Charge> charges, Span<Decision> decisions, Span<byte> places, Span<Held> held, long nowMicros)
    {
        foreach (ref var counter in held)
        {
            counter.Pending = counter.Word;
            counter.Cell?.Discard();
        }
        for (var i = 0; i < charges.Length; i++)
        {
            if (decisions[i].IsAllowed)
                decisions[i] = DecideOne(charges[i], 0, ref held[places[i]], nowMicros) with { Outcome = Outcome.Allowed, RetryAfterMicros = 0 };
            else if (CostAt(charges, places, places[i]) is var cost && cost != charges[i].Cost)
                decisions[i] = RefuseTogether(charges[i], cost, ref held[places[i]], nowMicros);
        }
    }

    // A counter named several times refuses for all that the request asks of it, not for what one charge leaves to the next.
    private Decision RefuseTogether(in Charge charge, int cost, ref Held counter, long nowMicros)
    {
        var decision = DecideOne(charge, cost, ref counter, nowMicros);
        counter.Pending = counter.Word;
        return decision;
    }

    private static int CostAt(ReadOnlySpan<Charge> charges, Span<byte> places, byte place)
    {
        var cost = 0;
        for (var i = 0; i < charges.Length; i++)
            cost += places[i] == place ? charges[i].Cost : 0;
        return cost;
    }

    private static void Commit(Span<Held> held, long nowMicros)
    {
        foreach (ref var counter in held)
        {
            if (counter.Table is null)
                continue;
            if (counter.Cell is { } cell)
            {
                cell.Commit();
                counter.Pending = (ulong)cell.IdleAt(nowMicros);
            }
            Debug.Assert((counter.Slot.Word & Slot.Locked) != 0, "A counter is committed under its lock bit.");
            Slot.Unlock(ref counter.Slot.Word, counter.Pending);
            counter.Table = null;
        }
    }
}
