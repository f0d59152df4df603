namespace Weir.LoadGen.Proof;

/// <summary>The instants, modulo a window's length, at which windows may begin. At first any.</summary>
internal sealed class Alignments(long windowNanos)
{
    private List<Bracket> _allowed = [new Bracket(0, windowNanos - 1)];

    /// <summary>Keeps only alignments with a boundary in an interval.</summary>
    public void Keep(Bracket boundary)
    {
        if (boundary.To - boundary.From >= windowNanos - 1)
            return;
        var (from, to) = (Modulo(boundary.From), Modulo(boundary.To));
        _allowed = from <= to
            ? Intersect(new Bracket(from, to))
            : [.. Intersect(new Bracket(0, to)), .. Intersect(new Bracket(from, windowNanos - 1))];
    }

    /// <summary>One alignment of each kind that remains: between two of them, no bracket's end falls into another window.</summary>
    public IEnumerable<long> Different(Bracket[] times)
    {
        if (_allowed.Count == 0)
            return [];
        var turns = new SortedSet<long>(_allowed.Select(static a => a.From));
        foreach (var time in times)
        {
            // An instant falls into another window when the boundary moves past it.
            AddAllowed(turns, Modulo(time.From + 1));
            AddAllowed(turns, Modulo(time.To + 1));
        }
        return turns;
    }

    private void AddAllowed(SortedSet<long> turns, long offset)
    {
        foreach (var allowed in _allowed)
        {
            if (offset >= allowed.From && offset <= allowed.To)
                turns.Add(offset);
        }
    }

    private List<Bracket> Intersect(Bracket with) =>
        [.. _allowed.Select(a => new Bracket(Math.Max(a.From, with.From), Math.Min(a.To, with.To))).Where(static b => b.From <= b.To)];

    private long Modulo(long nanos) => nanos % windowNanos is var rest && rest < 0 ? rest + windowNanos : rest;
}
