using System.Runtime.CompilerServices;

namespace Weir.Redis;

/// <summary>
/// The last answers of a shard's counters, for two uses: to refuse again without asking while a refusal holds, and to tell Redis what a counter had
/// counted when Redis has lost it. A table of fixed size: each counter has four places where it can be, and when they are taken, a new one takes the oldest one's.
/// </summary>
/// <remarks>
/// A refusal holds until the instant at which it ends, reckoned from when the question was sent: never longer than Redis would refuse, since time and taking only
/// ever bring that instant nearer or put it off. Giving permits back can end it sooner; the script then begins a new era, and what was remembered
/// in an older one is not believed. Thread safe: each group of four places has a lock. A counter is looked for without it and
/// looked at again with it, for it may have had to make room in between, and its identity may have been read half.
/// </remarks>
internal sealed class AnswerMemory
{
    private const long LongestMicros = 10_000_000;

    // Refusals of more than one permit can be ended by giving back a few, which begins no era.
    private const long LongestOfMoreThanOneMicros = 100_000;

    private const int Ways = 4;

    private struct Place
    {
        public int Cost;
        public CounterId Id;
        public Rule? Rule;
        public int Era;
        public long BelievedUntil;
        public long FitsAt;
        public long ResetAt;
        public long Remaining;
        public long NamedUntilMicros;
        public (long A, long B, long C) Hint;
        public long HintMicros;
        public bool HasHint;

        // What commits have charged in addition since the hint's instant, and when the last of them came.
        public long Added;
        public long AddedMicros;
    }

    private readonly Place[] _places;

    // Part of the identity of what is in each place, 0 where nothing is: close together, so that a look at four touches one line of the cache.
    private readonly uint[] _tags;

    // For each group a lock, and which of its places is the next to be taken.
    private readonly int[] _gates;
    private readonly byte[] _turns;
    private readonly int _mask;
    private readonly double _ticksPerMicro;
    private readonly CounterNames _names;
    private long _birth;
    private long _scriptEra;
    private int _era;

    public AnswerMemory(int places, TimeProvider time, CounterNames names)
    {
        (_places, _tags) = (new Place[places], new uint[places]);
        (_gates, _turns) = (new int[places / Ways], new byte[places / Ways]);
        _mask = (places / Ways) - 1;
        _ticksPerMicro = time.TimestampFrequency / 1_000_000.0;
        _names = names;
    }

    /// <summary>Whether to refuse from memory. Tests that compare every answer with the counter's turn it off.</summary>
    public bool Refuses { get; set; } = true;

    /// <summary>Takes note of the data and era that a reply tells of.</summary>
    public void Notice(in ReplyHeader header)
    {
        if (Volatile.Read(ref _birth) == header.Birth && Volatile.Read(ref _scriptEra) == header.Era)
            return;
        Volatile.Write(ref _birth, header.Birth);
        Volatile.Write(ref _scriptEra, header.Era);
        Interlocked.Increment(ref _era);
    }

    /// <summary>Ends the belief in all refusals.</summary>
    public void BeginEra() => Interlocked.Increment(ref _era);

    /// <summary>Refuses a charge if a remembered refusal says so.</summary>
    public bool TryRefuse(in Charge charge, long timestamp, out Decision decision)
    {
        decision = default;
        ref var place = ref Find(charge.Id);
        if (Unsafe.IsNullRef(ref place) || place.Cost != charge.Cost || charge.Cost == 0)
            return false;
        Lock(charge.Id);
        var holds = place.Cost == charge.Cost && place.Id == charge.Id && ReferenceEquals(place.Rule, charge.Rule)
            && place.Era == Volatile.Read(ref _era) && timestamp < place.BelievedUntil;
        var (fitsAt, resetAt, remaining) = (place.FitsAt, place.ResetAt, place.Remaining);
        Unlock(charge.Id);
        if (!holds || !Refuses)
            return false;
        decision = new Decision
        {
            Outcome = Outcome.Refused,
            Source = DecisionSource.DenyCache,
            Rule = charge.Rule,
            Remaining = remaining,
            RetryAfterMicros = Micros(fitsAt - timestamp),
            ResetMicros = Micros(resetAt - timestamp),
        };
        return true;
    }

    /// <summary>Remembers what became of requests for a counter.</summary>
    /// <param name="id">The counter.</param>
    /// <param name="rule">Its rule.</param>
    /// <param name="cost">What each request cost.</param>
    /// <param name="answer">The script's answer.</param>
    /// <param name="last">The last request's decision.</param>
    /// <param name="header">The reply's header.</param>
    /// <param name="sentAt">When the question was sent.</param>
    public void Remember(CounterId id, Rule rule, int cost, in CounterAnswer answer, in Decision last, in ReplyHeader header, long sentAt)
    {
        var refused = last.Outcome == Outcome.Refused && rule.Algorithm != AlgorithmKind.Concurrency;
        if (!refused && (answer.Granted == 0 || cost == 0))
            return;
        Notice(header);
        ref var place = ref Take(id, rule);
        RememberHint(ref place, answer, cost, header.NowMicros);
        if (refused)
        {
            place.Cost = cost;
            place.Era = Volatile.Read(ref _era);
            place.Remaining = last.Remaining;
            var longest = cost == 1 ? LongestMicros : LongestOfMoreThanOneMicros;
            place.BelievedUntil = sentAt + Ticks(Math.Min(longest, last.RetryAfterMicros));
            place.FitsAt = sentAt + Ticks(last.RetryAfterMicros);
            place.ResetAt = sentAt + Ticks(last.ResetMicros);
        }
        else
        {
            place.Cost = 0;
        }
        Unlock(id);
    }

    /// <summary>Remembers what a request with several limits took of one counter.</summary>
    public void Remember(CounterId id, Rule rule, in CounterAnswer answer, int cost, in ReplyHeader header)
    {
        if (answer.Granted == 0 || cost == 0)
            return;
        Notice(header);
        ref var place = ref Take(id, rule);
        RememberHint(ref place, answer, cost, header.NowMicros);
        Unlock(id);
    }

    /// <summary>Makes sure that listings know what the counter is called.</summary>
    public void Name(in Charge charge, long nowMicros)
    {
        ref var place = ref Find(charge.Id);
        var isKnown = !Unsafe.IsNullRef(ref place);
        if (isKnown && ReferenceEquals(place.Rule, charge.Rule) && nowMicros < place.NamedUntilMicros)
            return;
        // A look makes no counter, but it can bring one under another rule.
        if (charge.Label.IsEmpty || (charge.Cost == 0 && !isKnown))
            return;
        var until = _names.Add(charge, nowMicros);
        ref var taken = ref Take(charge.Id, charge.Rule);
        taken.NamedUntilMicros = until;
        Unlock(charge.Id);
    }

    /// <summary>Takes note of a correction: the counter may no longer refuse, and more may count.</summary>
    /// <param name="charge">The charge that was corrected.</param>
    /// <param name="givenBack">Permits given back; negative: charged in addition.</param>
    /// <param name="nowMicros">When, by the server's clock.</param>
    public void Correct(in Charge charge, long givenBack, long nowMicros)
    {
        // The charge may come from a text with a rule of its own, which is no reason to forget what is known by another, equal one.
        ref var known = ref Find(charge.Id);
        if (Unsafe.IsNullRef(ref known) || ReferenceEquals(known.Rule, charge.Rule))
            Name(charge, nowMicros);
        Lock(charge.Id);
        ref var place = ref Find(charge.Id);
        if (!Unsafe.IsNullRef(ref place))
        {
            place.Cost = 0;
            if (givenBack < 0 && place.Rule!.Algorithm != AlgorithmKind.Concurrency)
                AddToHint(ref place, -givenBack, nowMicros);
        }
        Unlock(charge.Id);
    }

    /// <summary>Forgets all of a counter.</summary>
    public void Drop(CounterId id)
    {
        Lock(id);
        ref var place = ref Find(id);
        if (!Unsafe.IsNullRef(ref place))
            (place.Cost, place.HasHint, place.NamedUntilMicros) = (0, false, 0);
        Unlock(id);
    }

    /// <summary>What was last known of a counter.</summary>
    /// <returns>False when nothing is.</returns>
    public bool TryRecall(CounterId id, out Rule rule, out (long A, long B, long C) hint)
    {
        (rule, hint) = (null!, default);
        Lock(id);
        ref var place = ref Find(id);
        var known = !Unsafe.IsNullRef(ref place) && place.HasHint;
        if (known)
            (rule, hint) = (place.Rule!, place.Hint);
        Unlock(id);
        return known;
    }

    /// <summary>Puts what is known of counters, and may still count, into a batch, from a place on. Redis has lost data, so what counters are called is told again, too.</summary>
    /// <returns>The place to go on from; −1 at the end.</returns>
    public int AddHints(Batch batch, int from, long nowMicros)
    {
        for (var i = from; i < _places.Length; i++)
        {
            ref var place = ref _places[i];
            place.NamedUntilMicros = 0;
            if (!place.HasHint)
                continue;
            Lock(i / Ways);
            var added = !place.HasHint || KnownUse.Of(place.Rule!, place.Hint, nowMicros) == 0 || batch.TryAddHint(place.Rule!, place.Id, place.Hint);
            Unlock(i / Ways);
            if (!added)
                return i;
        }
        return -1;
    }

    // The replies of two batches can come in the other order than they were decided in: an older one knows less.
    private static void RememberHint(ref Place place, in CounterAnswer answer, int cost, long nowMicros)
    {
        if (!answer.TryHint(cost, out var hint) || (place.HasHint && nowMicros < place.HintMicros))
            return;
        // What was charged in addition after it had been decided is not in it.
        if (place.HasHint && nowMicros < place.AddedMicros)
            hint = KnownUse.Add(place.Rule!, hint, place.Added, place.AddedMicros);
        else
            (place.Added, place.AddedMicros) = (0, 0);
        if (place.HasHint && nowMicros == place.HintMicros)
            hint = (Math.Max(hint.A, place.Hint.A), Math.Max(hint.B, place.Hint.B), Math.Max(hint.C, place.Hint.C));
        (place.Hint, place.HasHint, place.HintMicros) = (hint, true, nowMicros);
    }

    private static void AddToHint(ref Place place, long permits, long nowMicros)
    {
        if (!place.HasHint)
            (place.Hint, place.HintMicros, place.Added, place.AddedMicros) = (default, 0, 0, 0);
        (place.Hint, place.HasHint) = (KnownUse.Add(place.Rule!, place.Hint, permits, nowMicros), true);
        (place.Added, place.AddedMicros) = (place.Added + permits, Math.Max(place.AddedMicros, nowMicros));
    }

    // Where a counter is; a null reference when it is nowhere. Without the lock it may have to make room for another at any time.
    private ref Place Find(CounterId id)
    {
        var (first, tag) = (GroupOf(id) * Ways, TagOf(id));
        for (var i = first; i < first + Ways; i++)
        {
            if (_tags[i] == tag && _places[i].Id == id)
                return ref _places[i];
        }
        return ref Unsafe.NullRef<Place>();
    }

    // The place of a counter, its group locked; another counter's memories, and those of another rule, are cleared from it.
    private ref Place Take(CounterId id, Rule rule)
    {
        Lock(id);
        ref var place = ref Find(id);
        if (Unsafe.IsNullRef(ref place))
        {
            var group = GroupOf(id);
            var at = (group * Ways) + (_turns[group]++ % Ways);
            _tags[at] = TagOf(id);
            place = ref _places[at];
        }
        if (place.Id != id || !ReferenceEquals(place.Rule, rule))
        {
            place.Cost = 0;
            place.HasHint = false;
            place.NamedUntilMicros = 0;
            (place.Id, place.Rule) = (id, rule);
        }
        return ref place;
    }

    private int GroupOf(CounterId id) => (int)id.Low & _mask;

    private static uint TagOf(CounterId id) => (uint)(id.High >> 32) | 1;

    private long Ticks(long micros) => (long)(micros * _ticksPerMicro);

    private long Micros(long ticks) => Math.Max(1, (long)Math.Ceiling(ticks / _ticksPerMicro));

    private void Lock(CounterId id) => Lock(GroupOf(id));

    private void Unlock(CounterId id) => Unlock(GroupOf(id));

    private void Lock(int group)
    {
        var wait = new SpinWait();
        while (Interlocked.CompareExchange(ref _gates[group], 1, 0) != 0)
            wait.SpinOnce();
    }

    private void Unlock(int group) => Volatile.Write(ref _gates[group], 0);
}
