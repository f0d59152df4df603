namespace Weir;

/// <summary>Finds what somebody probably meant.</summary>
internal static class EditDistance
{
    private const int LongestWord = 64;

    /// <summary>The candidate with the fewest edits from <paramref name="word"/>, or null when none is near: two edits, or a third of the word.</summary>
    public static string? Nearest(string word, IEnumerable<string> candidates)
    {
        if (word.Length is 0 or > LongestWord)
            return null;
        string? nearest = null;
        var least = Math.Max(2, word.Length / 3) + 1;
        foreach (var candidate in candidates)
        {
            // A short candidate is within two edits of nearly any short word, so it has to share at least half its letters.
            var distance = candidate.Length > LongestWord ? least : Between(word, candidate);
            if (distance < least && distance * 2 <= Math.Max(word.Length, candidate.Length))
                (nearest, least) = (candidate, distance);
        }
        return nearest;
    }

    /// <summary>Letters to insert, delete, replace or swap with their neighbour, ignoring case.</summary>
    private static int Between(string from, string to)
    {
        var costs = new int[from.Length + 1, to.Length + 1];
        for (var i = 0; i <= from.Length; i++)
        {
            for (var j = 0; j <= to.Length; j++)
                costs[i, j] = i == 0 || j == 0 ? i + j : Step(costs, i, j, from, to);
        }
        return costs[from.Length, to.Length];
    }

    private static int Step(int[,] costs, int i, int j, string from, string to)
    {
        var replace = costs[i - 1, j - 1] + (Same(from[i - 1], to[j - 1]) ? 0 : 1);
        var cost = Math.Min(replace, Math.Min(costs[i - 1, j], costs[i, j - 1]) + 1);
        var swapped = i > 1 && j > 1 && Same(from[i - 1], to[j - 2]) && Same(from[i - 2], to[j - 1]);
        return swapped ? Math.Min(cost, costs[i - 2, j - 2] + 1) : cost;
    }

    private static bool Same(char a, char b) => char.ToLowerInvariant(a) == char.ToLowerInvariant(b);
}
