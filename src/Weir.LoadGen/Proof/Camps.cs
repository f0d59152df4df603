namespace Weir.LoadGen.Proof;

/// <summary>Finds out which targets count together, where they do not all do so: a node that decides from its own memory, or nodes on two stores.</summary>
/// <remarks>
/// A set of targets explains itself if its requests alone show no fault: nothing too much, and no refusal for which others' requests would be needed. If there is exactly
/// one way to divide all targets into the fewest sets that explain themselves, that is how they count.
/// </remarks>
internal static class Camps
{
    // All sets of targets are tried.
    private const int MostTargets = 6;
    private const int MostKeys = 5;
    private const int MostObservations = 100_000;

    /// <summary>The sets of targets that count together.</summary>
    /// <param name="traces">Keys of which too much was admitted.</param>
    /// <param name="isExplained">Whether observations show no fault.</param>
    /// <returns>Two sets or more, of indices of targets; none where it cannot be told.</returns>
    public static IReadOnlyList<IReadOnlyList<int>> Find(IEnumerable<KeyTrace> traces, Func<KeyTrace, bool> isExplained)
    {
        var few = Few(traces);
        var targets = few.SelectMany(static t => t.All).Select(static o => (int)o.Target).Distinct().Order().ToArray();
        if (targets.Length is < 2 or > MostTargets)
            return [];
        var all = (1 << targets.Length) - 1;
        var explained = new bool[all + 1];
        for (var set = 1; set < all; set++)
            explained[set] = few.TrueForAll(t => isExplained(t.Of(o => (set >> Array.IndexOf(targets, o.Target) & 1) != 0)));
        var best = Divisions(all, explained).GroupBy(static d => d.Count).OrderBy(static g => g.Key).FirstOrDefault()?.ToList() ?? [];
        return best is [var only] ? [.. only.Select(set => (IReadOnlyList<int>)[.. targets.Where((_, i) => (set >> i & 1) != 0)])] : [];
    }

    private static List<KeyTrace> Few(IEnumerable<KeyTrace> traces)
    {
        var (few, observations) = (new List<KeyTrace>(), 0);
        foreach (var trace in traces.Take(MostKeys))
        {
            observations += trace.All.Length;
            if (observations > MostObservations)
                break;
            few.Add(trace);
        }
        return few;
    }

    // Every way to divide a set into explained ones, each begun by the lowest member that is left.
    private static IEnumerable<List<int>> Divisions(int left, bool[] explained)
    {
        if (left == 0)
        {
            yield return [];
            yield break;
        }
        var lowest = left & -left;
        for (var set = left; set > 0; set = (set - 1) & left)
        {
            if ((set & lowest) == 0 || !explained[set])
                continue;
            foreach (var rest in Divisions(left & ~set, explained))
                yield return [set, .. rest];
        }
    }
}
