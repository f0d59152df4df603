namespace Weir.Server.Configuration;

/// <summary>Guesses which name somebody meant.</summary>
public static class NearestName
{
    /// <summary>Finds the candidate nearest to what was written, ignoring case.</summary>
    /// <returns>Null when none is near enough to be worth a suggestion.</returns>
    public static string? Find(string written, IEnumerable<string> candidates)
    {
        ArgumentNullException.ThrowIfNull(written);
        var names = candidates.ToList();
        // A part of a name, such as PORT for NODE_PORT or --port for --node-port, is as good as a slip of the finger.
        var part = written.TrimStart('-');
        return EditDistance.Nearest(written, names)
            ?? names.Find(name => part.Length > 2 && name.Contains(part, StringComparison.OrdinalIgnoreCase));
    }
}
