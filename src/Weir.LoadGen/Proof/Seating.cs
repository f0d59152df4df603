namespace Weir.LoadGen.Proof;

/// <summary>
/// Decides whether requests, each decided at some instant between sending and answer, can have been decided so that the promise held.
/// </summary>
/// <remarks>
/// <para>A permit of a sliding window is a seat that its taker keeps for a window; a token bucket is one seat that each taker keeps for the time in which a token
/// comes back, where a taker may wait for the seat as long as the burst lasts. Either way the question is one of scheduling: jobs of equal length on equal
/// machines, each with an earliest and a latest start.</para>
/// <para>The answer is exact: it is <see cref="Fit.Not"/> if and only if no assignment exists. Source: B. Simons, "Multiprocessor scheduling of unit-time
/// jobs with arbitrary release times and deadlines", SIAM Journal on Computing 12 (1983). Whoever must sit down first is seated first; when somebody then comes too
/// late, the last one before who could have waited is made to wait for the first of those who could not ("barrier"), and seating goes on from there.</para>
/// <para>Barriers are rare in practice, but there may be many: after a bounded number of steps the question stays open.</para>
/// </remarks>
internal sealed class Seating
{
    private const long None = long.MinValue;

    private readonly Bracket[] _jobs;
    private readonly int _seats;
    private readonly long _stay;
    private readonly int[] _order;
    private readonly long[] _starts;
    private readonly long[] _barriers;
    private readonly bool[] _first;
    private readonly PriorityQueue<int, long> _ready = new();
    private int _arrived;
    private long _stepsLeft;

    private Seating(Bracket[] jobs, int seats, long stay)
    {
        (_jobs, _seats, _stay) = (jobs, seats, stay);
        _order = new int[jobs.Length];
        _starts = new long[jobs.Length];
        _barriers = new long[jobs.Length];
        _first = new bool[jobs.Length];
        Array.Fill(_barriers, None);
        _stepsLeft = 100_000 + (50L * jobs.Length);
    }

    /// <summary>Whether there is an assignment.</summary>
    internal enum Fit
    {
        /// <summary>There is one.</summary>
        Yes,

        /// <summary>There is none.</summary>
        Not,

        /// <summary>It was not found out within the steps allowed.</summary>
        Open,
    }

    /// <summary>Seats everybody, if that can be done.</summary>
    /// <param name="jobs">Earliest and latest start, in the order of the earliest.</param>
    /// <param name="seats">1 or more.</param>
    /// <param name="stay">How long each keeps a seat; 0 or less fits always.</param>
    /// <param name="conflict">Where not: first earliest start, last latest start and number of those who cannot all sit.</param>
    public static Fit Try(Bracket[] jobs, int seats, long stay, out (Bracket Time, int Count) conflict)
    {
        conflict = default;
        return stay <= 0 || jobs.Length == 0 ? Fit.Yes : new Seating(jobs, seats, stay).Run(out conflict);
    }

    private Fit Run(out (Bracket Time, int Count) conflict)
    {
        conflict = default;
        for (var place = 0; place < _jobs.Length; place++)
        {
            if (--_stepsLeft < 0)
                return Fit.Open;
            var start = StartOf(place);
            Admit(start);
            var job = _ready.Dequeue();
            (_order[place], _starts[place]) = (job, start);
            if (start <= _jobs[job].To)
                continue;
            var waiter = LastWhoCanWait(place);
            if (waiter < 0)
            {
                conflict = Conflict(place);
                return Fit.Not;
            }
            _barriers[waiter] = FirstAfter(waiter, place);
            GoBack(waiter, place);
            place = waiter - 1;
        }
        return Fit.Yes;
    }

    private long StartOf(int place)
    {
        _first[place] = false;
        var start = _barriers[place];
        if (place >= _seats)
            start = Math.Max(start, _starts[place - _seats] + _stay);
        if (place > 0)
            start = Math.Max(start, _starts[place - 1]);
        if (_ready.Count > 0)
            return start;
        _first[place] = start <= _jobs[_arrived].From;
        return Math.Max(start, _jobs[_arrived].From);
    }

    private void Admit(long start)
    {
        for (; _arrived < _jobs.Length && _jobs[_arrived].From <= start; _arrived++)
            _ready.Enqueue(_arrived, _jobs[_arrived].To);
    }

    private int LastWhoCanWait(int place)
    {
        var deadline = _jobs[_order[place]].To;
        var waiter = place - 1;
        while (waiter >= 0 && _jobs[_order[waiter]].To <= deadline)
            waiter--;
        _stepsLeft -= place - waiter;
        return waiter;
    }

    private long FirstAfter(int waiter, int place)
    {
        var first = long.MaxValue;
        for (var i = waiter + 1; i <= place; i++)
            first = Math.Min(first, _jobs[_order[i]].From);
        return first;
    }

    // Everybody from a place on stands up again; those who have not come yet by the barrier are sent out.
    private void GoBack(int waiter, int place)
    {
        var barrier = _barriers[waiter];
        var standing = new List<int>(_ready.UnorderedItems.Select(static i => i.Element));
        standing.AddRange(_order.AsSpan(waiter, place - waiter + 1));
        _stepsLeft -= standing.Count;
        _ready.Clear();
        while (_arrived > 0 && _jobs[_arrived - 1].From > barrier)
            _arrived--;
        foreach (var job in standing)
        {
            if (job < _arrived)
                _ready.Enqueue(job, _jobs[job].To);
        }
    }

    // From the last who neither found others waiting nor had to wait: whoever sits behind came later.
    private (Bracket Time, int Count) Conflict(int place)
    {
        var first = place;
        while (first > 0 && !_first[first])
            first--;
        var (from, to) = (long.MaxValue, long.MinValue);
        for (var i = first; i <= place; i++)
            (from, to) = (Math.Min(from, _jobs[_order[i]].From), Math.Max(to, _jobs[_order[i]].To));
        return (new Bracket(from, to), place - first + 1);
    }
}
