namespace Weir.LoadGen.Proof;

/// <summary>Tells how much too much could have been admitted in one window without being found, because nobody here knows the instants of decision.</summary>
internal static class BlindSpot
{
    /// <summary>
    /// The most requests, over all places where a window could begin, that may or may not have been decided inside it: an excess of more than that
    /// is always found.
    /// </summary>
    public static int Of(Bracket[] times, long windowNanos)
    {
        // A window that begins at x: unsure are those under way at x, and those that end after its shortest end and began by its end.
        var changes = new List<(long At, int By)>(4 * times.Length);
        var shortest = Tolerance.Shortest(windowNanos);
        foreach (var time in times)
        {
            changes.Add((time.From, 1));
            changes.Add((time.To, -1));
            changes.Add((time.From - windowNanos, 1));
            changes.Add((time.To - shortest + 1, -1));
        }
        // Of changes at one instant the additions count first: too many rather than too few.
        changes.Sort(static (a, b) => a.At != b.At ? a.At.CompareTo(b.At) : b.By.CompareTo(a.By));
        var (most, now) = (0, 0);
        foreach (var (_, by) in changes)
            most = Math.Max(most, now += by);
        return most;
    }
}
