namespace Weir.Redis;

/// <summary>
/// The last answers of a shard's counters, for two uses: to refuse again without asking while a refusal holds, and to tell Redis what a counter had
/// counted when Redis has lost it. A table of fixed size in which a new counter takes the place of an older one.
/// </summary>
/// <remarks>
/// A refusal holds until the instant at which it ends, reckoned from when the question was sent: never longer than Redis would refuse, since time and taking only
/// ever bring that instant nearer or put it off. Giving permits back can end it sooner; the script then begins a new era, and what was remembered
/// in an older one is not believed. Thread safe: each place has a lock bit.
/// </remarks>
internal sealed class AnswerMemory
{
    private const long LongestMicros = 10_000_000;

    // Refusals of more than one permit can be ended by giving back a few, which begins no era.
    private const long LongestOfMoreThanOneMicros = 100_000;

    private struct Place
    {
        public int Gate;
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
    }

    private readonly Place[] _places;
    private readonly int _mask;
    private readonly double _ticksPerMicro;
    private readonly CounterNames _names;
    private long _birth;
    private long _scriptEra;
    private int _era;

    public AnswerMemory(int places, TimeProvider time, CounterNames names)
    {
        _places = new Place[places];
        _mask = places - 1;
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
        ref var place = ref _places[(int)charge.Id.Low & _mask];
        if (place.Cost != charge.Cost || charge.Cost == 0 || place.Id != charge.Id)
            return false;
        Lock(ref place);
        var holds = place.Cost == charge.Cost && place.Id == charge.Id && ReferenceEquals(place.Rule, charge.Rule)
            && place.Era == Volatile.Read(ref _era) && timestamp < place.BelievedUntil;
        var (fitsAt, resetAt, remaining) = (place.FitsAt, place.ResetAt, place.Remaining);
        Unlock(ref place);
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
        Unlock(ref place);
    }

    /// <summary>Remembers what a request with several limits took of one counter.</summary>
    public void Remember(CounterId id, Rule rule, in CounterAnswer answer, int cost, in ReplyHeader header)
    {
        if (answer.Granted == 0 || cost == 0)
            return;
        Notice(header);
        ref var place = ref Take(id, rule);
        RememberHint(ref place, answer, cost, header.NowMicros);
        Unlock(ref place);
    }

    /// <summary>Makes sure that listings know what the counter is called.</summary>
    public void Name(in Charge charge, long nowMicros)
    {
        ref var place = ref _places[(int)charge.Id.Low & _mask];
        var isKnown = place.Id == charge.Id;
        if (isKnown && ReferenceEquals(place.Rule, charge.Rule) && nowMicros < place.NamedUntilMicros)
            return;
        // A look makes no counter, but it can bring one under another rule.
        if (charge.Label.IsEmpty || (charge.Cost == 0 && !isKnown))
            return;
        var until = _names.Add(charge, nowMicros);
        ref var taken = ref Take(charge.Id, charge.Rule);
        taken.NamedUntilMicros = until;
        Unlock(ref taken);
    }

    /// <summary>No longer believes that the counter refuses.</summary>
    public void Forget(CounterId id)
    {
        ref var place = ref _places[(int)id.Low & _mask];
        Lock(ref place);
        if (place.Id == id)
            place.Cost = 0;
        Unlock(ref place);
    }

    /// <summary>Forgets all of a counter.</summary>
    public void Drop(CounterId id)
    {
        ref var place = ref _places[(int)id.Low & _mask];
        Lock(ref place);
        if (place.Id == id)
            (place.Cost, place.HasHint, place.NamedUntilMicros) = (0, false, 0);
        Unlock(ref place);
    }

    /// <summary>What was last known of a counter.</summary>
    /// <returns>False when nothing is.</returns>
    public bool TryRecall(CounterId id, out Rule rule, out (long A, long B, long C) hint)
    {
        ref var place = ref _places[(int)id.Low & _mask];
        Lock(ref place);
        var known = place.Id == id && place.HasHint;
        (rule, hint) = (place.Rule!, place.Hint);
        Unlock(ref place);
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
            Lock(ref place);
            var added = !place.HasHint || KnownUse.Of(place.Rule!, place.Hint, nowMicros) == 0 || batch.TryAddHint(place.Rule!, place.Id, place.Hint);
            Unlock(ref place);
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
        if (place.HasHint && nowMicros == place.HintMicros)
            hint = (Math.Max(hint.A, place.Hint.A), Math.Max(hint.B, place.Hint.B), Math.Max(hint.C, place.Hint.C));
        (place.Hint, place.HasHint, place.HintMicros) = (hint, true, nowMicros);
    }

    // The place of a counter, locked; another counter's memories are cleared from it.
    private ref Place Take(CounterId id, Rule rule)
    {
        ref var place = ref _places[(int)id.Low & _mask];
        Lock(ref place);
        if (place.Id != id || !ReferenceEquals(place.Rule, rule))
        {
            place.Cost = 0;
            place.HasHint = false;
            place.NamedUntilMicros = 0;
            (place.Id, place.Rule) = (id, rule);
        }
        return ref place;
    }

    private long Ticks(long micros) => (long)(micros * _ticksPerMicro);

    private long Micros(long ticks) => Math.Max(1, (long)Math.Ceiling(ticks / _ticksPerMicro));

    private static void Lock(ref Place place)
    {
        var wait = new SpinWait();
        while (Interlocked.CompareExchange(ref place.Gate, 1, 0) != 0)
            wait.SpinOnce();
    }

    private static void Unlock(ref Place place) => Volatile.Write(ref place.Gate, 0);
}
