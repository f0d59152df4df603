namespace Weir.Server.Configuration;

/// <summary>Guesses which name somebody meant.</summary>
public static class NearestName
{
    /// <summary>Finds the candidate nearest to what was written, ignoring case.</summary>
    /// <returns>Null when none is near enough to be worth a suggestion.</returns>
    public static string? Find(string written, IEnumerable<string> candidates)
    {
        ArgumentNullException.ThrowIfNull(written);
        var best = candidates.Select(c => (Name: c, Distance: Distance(written.ToUpperInvariant(), c.ToUpperInvariant()))).MinBy(c => c.Distance);
        return written.Length > 0 && best.Distance <= Math.Max(2, written.Length / 3) ? best.Name : null;
    }

    // A part of a name, such as PORT for NODE_PORT, is as good as one slip of the finger.
    private static int Distance(string a, string b) => a.Length > 2 && b.Contains(a) ? 1 : EditDistance(a, b);

    private static int EditDistance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.Length];
    }
}
