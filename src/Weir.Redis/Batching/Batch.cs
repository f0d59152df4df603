namespace Weir.Redis;

/// <summary>
/// Operations that go to a shard in one call of the script. Requests that ask the same of one counter are one operation: granting them together gives each what it
/// would have got in turn. Reused by its pump; one thread at a time.
/// </summary>
internal sealed partial class Batch
{
    /// <summary>Operations that a batch is filled up to: more would hold up the server for longer and save little.</summary>
    public const int Full = 128;

    // A rule's index is a byte, and the last operation may bring a rule for each of its charges.
    private const int MaxRules = 255 - ILimiter.MaxCharges;
    private const int PlaceMask = (1 << 9) - 1;
    private const int IndexBits = 10;
    private const int IndexMask = (1 << IndexBits) - 1;

    private struct Entry
    {
        public OperationKind Kind;
        public byte Rule;
        public ushort Count;
        public int Cost;
        public CounterId Id;
        public Operation? First;
        public Operation? Last;
        public long A;
        public long B;
        public long C;
    }

    private readonly KeySpace _keys;
    private readonly int _shard;
    private readonly WireRules _wireRules;
    private readonly AnswerMemory _memory;
    private readonly Entry[] _entries = new Entry[Full + 1 + ILimiter.MaxCharges];
    private readonly WireRule[] _rules = new WireRule[MaxRules + ILimiter.MaxCharges];

    // Places of charges by counter, to find those that can be put together: the batch's number over an index.
    private readonly uint[] _places = new uint[PlaceMask + 1];
    private uint _number;

    // Whether it holds only single charges of one cost, each on a counter of its own.
    private bool _isPlain;
    private int _count;
    private int _ruleCount;
    private int _decisions;

    public Batch(KeySpace keys, int shard, WireRules wireRules, AnswerMemory memory)
    {
        (_keys, _shard, _wireRules, _memory) = (keys, shard, wireRules, memory);
        MakeNames();
        Clear();
    }

    /// <summary>Whether nothing is in it.</summary>
    public bool IsEmpty => _count == 0;

    /// <summary>Whether an operation can be added. Even the largest has room then.</summary>
    public bool HasRoom => _count < Full && _ruleCount < MaxRules;

    /// <summary>Decisions that wait for the batch.</summary>
    public int Decisions => _decisions;

    /// <summary>When the longest-waiting of its operations began to wait.</summary>
    public long Since { get; private set; }

    /// <summary>Makes the batch empty.</summary>
    public void Clear()
    {
        Array.Clear(_entries, 0, _count);
        Array.Clear(_rules, 0, _ruleCount);
        (_count, _ruleCount, _decisions, _isPlain) = (0, 0, 0, true);
        if (++_number > uint.MaxValue >> IndexBits)
        {
            Array.Clear(_places);
            _number = 1;
        }
    }

    public void Add(ChargeOperation operation)
    {
        Note(operation);
        _decisions++;
        var charge = operation.Charge;
        ref var place = ref PlaceOf(charge.Id);
        if (place >> IndexBits == _number)
        {
            if (TryJoin(ref _entries[place & IndexMask], operation, charge))
                return;
            // The next of this counter joins the newest, so that all are decided in turn.
            _isPlain = false;
        }
        place = (_number << IndexBits) | (uint)_count;
        _isPlain &= _count == 0 || charge.Cost == _entries[0].Cost;
        Append(new Entry { Kind = OperationKind.Decide, Rule = IndexOf(charge.Rule), Count = 1, Cost = charge.Cost, Id = charge.Id, First = operation, Last = operation });
    }

    public void Add(GroupOperation operation)
    {
        Note(operation);
        _decisions++;
        _isPlain = false;
        var charges = operation.Charges.Span;
        Append(new Entry { Kind = OperationKind.Group, Count = (ushort)charges.Length, First = operation });
        foreach (ref readonly var charge in charges)
        {
            var mode = charge.Rule.Shadow ? 1 : !charge.Rule.Quota ? 0 : operation.IsPart ? 1 : 2;
            Append(new Entry { Kind = OperationKind.Decide, Rule = IndexOf(charge.Rule), Count = (ushort)mode, Cost = charge.Cost, Id = charge.Id });
        }
    }

    public void Add(CorrectionOperation operation)
    {
        Note(operation);
        _isPlain = false;
        var charge = operation.Charge;
        Append(new Entry
        {
            Kind = operation.Kind,
            Rule = IndexOf(charge.Rule),
            Cost = charge.Cost,
            Id = charge.Id,
            First = operation,
            A = operation.Actual,
            B = operation.Stamp is null ? 0 : 1,
            C = operation.Stamp ?? 0,
        });
    }

    /// <summary>Adds what is known of a counter.</summary>
    /// <returns>False when there is no room.</returns>
    public bool TryAddHint(Rule rule, CounterId id, (long A, long B, long C) hint)
    {
        if (!HasRoom)
            return false;
        _isPlain = false;
        Append(new Entry { Kind = OperationKind.Hint, Rule = IndexOf(rule), Id = id, A = hint.A, B = hint.B, C = hint.C });
        return true;
    }

    /// <summary>Adds what was admitted while Redis could not be asked.</summary>
    public void AddDebt(in Charge charge, int permits)
    {
        _isPlain = false;
        Append(new Entry { Kind = OperationKind.Settle, Rule = IndexOf(charge.Rule), Id = charge.Id, A = permits });
    }

    /// <summary>Answers everything in the batch without Redis.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="mayBeCharged">Whether Redis may have done it all the same.</param>
    public void Fail(DegradedReason reason, bool mayBeCharged = false)
    {
        for (var i = 0; i < _count; i++)
        {
            for (var operation = _entries[i].First; operation is not null;)
            {
                // Once answered it belongs to its caller.
                var next = operation.Next;
                operation.Next = null;
                operation.Fail(reason, mayBeCharged);
                operation = next;
            }
        }
        Clear();
    }

    // Where the newest charge of a counter is noted, or is to be. Less than half of the places are ever taken, so that the search is short.
    private ref uint PlaceOf(CounterId id)
    {
        var at = (int)id.Low & PlaceMask;
        while (_places[at] >> IndexBits == _number && _entries[_places[at] & IndexMask].Id != id)
            at = (at + 1) & PlaceMask;
        return ref _places[at];
    }

    private static bool TryJoin(ref Entry entry, ChargeOperation operation, in Charge charge)
    {
        if (entry.Id != charge.Id || entry.Cost != charge.Cost || entry.Count == ushort.MaxValue || entry.First is not ChargeOperation first
            || !ReferenceEquals(first.Charge.Rule, charge.Rule))
            return false;
        entry.Last!.Next = operation;
        entry.Last = operation;
        entry.Count++;
        return true;
    }

    private void Note(Operation operation)
    {
        if (_count == 0)
            Since = operation.Since;
    }

    private void Append(in Entry entry) => _entries[_count++] = entry;

    private byte IndexOf(Rule rule)
    {
        for (var i = 0; i < _ruleCount; i++)
        {
            if (ReferenceEquals(_rules[i].Rule, rule))
                return (byte)i;
        }
        _rules[_ruleCount] = _wireRules.Of(rule);
        return (byte)_ruleCount++;
    }
}
