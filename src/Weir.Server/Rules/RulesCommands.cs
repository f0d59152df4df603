using System.Text;

namespace Weir.Server.Rules;

/// <summary>The commands <c>weir rules validate</c> and <c>weir rules explain</c>, without their command line.</summary>
/// <remarks>Both return an exit code: 0 for yes, 1 for no, 2 for arguments that make no sense.</remarks>
public static class RulesCommands
{
    private const int Yes = 0;
    private const int No = 1;
    private const int Usage = 2;

    /// <summary>Checks a file or folder of rules and writes them as a table, or every problem with its place and cure.</summary>
    /// <returns>0 when the rules are valid, 1 when they are not, 2 when no path is given.</returns>
    public static int Validate(string path, TextWriter output, TextWriter error)
    {
        ArgumentNullException.ThrowIfNull(output);
        if (Load(path, error, out var exitCode) is { } load)
            RulesText.WriteRules(load, output);
        return exitCode;
    }

    /// <summary>Says which rule a descriptor meets, and why not the others.</summary>
    /// <param name="path">A file or folder of rules.</param>
    /// <param name="domain">The domain to look in.</param>
    /// <param name="pairs">The entries of the descriptor, each <c>key=value</c>, outermost first. A key alone has an empty value.</param>
    /// <param name="output">Receives the explanation.</param>
    /// <param name="error">Receives problems.</param>
    /// <returns>0 when a rule applies or the descriptor is exempt, 1 when none applies or the rules are not valid, 2 for a bad argument.</returns>
    public static int Explain(string path, string domain, string[] pairs, TextWriter output, TextWriter error)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(error);
        ArgumentNullException.ThrowIfNull(pairs);
        if (Problem(pairs) is { } problem)
        {
            error.WriteLine(problem);
            return Usage;
        }
        if (Load(path, error, out var exitCode) is not { } load)
            return exitCode;
        var explanation = load.RuleSet!.Explain(domain, new Descriptor([.. pairs.Select(Entry)]));
        RulesText.WriteExplanation(explanation, output);
        return explanation.Kind is MatchKind.Matched or MatchKind.Whitelisted ? Yes : No;
    }

    private static RulesLoad? Load(string path, TextWriter error, out int exitCode)
    {
        ArgumentNullException.ThrowIfNull(error);
        exitCode = Usage;
        if (string.IsNullOrEmpty(path))
        {
            error.WriteLine("path is empty. Name a YAML file, or a folder of them.");
            return null;
        }
        var load = RulesFiles.Load(path, FailurePolicy.Closed);
        exitCode = load.RuleSet is null ? No : Yes;
        if (load.RuleSet is not null)
            return load;
        RulesText.WriteProblems(load, error);
        return null;
    }

    private static string? Problem(string[] pairs)
    {
        if (pairs.Length == 0)
            return "No entry is given. Name at least one, such as user=alice.";
        foreach (var pair in pairs)
        {
            var entry = Entry(pair);
            if (entry.Key.Length == 0)
                return $"'{pair}' has no key before '='. Write key=value, such as user=alice.";
            if (Math.Max(Encoding.UTF8.GetByteCount(entry.Key), Encoding.UTF8.GetByteCount(entry.Value)) > RuleBounds.MaxKeyBytes)
                return $"'{pair[..20]}...' is longer than the {RuleBounds.MaxKeyBytes} bytes that a key or a value may have. Shorten it.";
        }
        return null;
    }

    private static DescriptorEntry Entry(string pair)
    {
        var at = pair.IndexOf('=', StringComparison.Ordinal);
        return at < 0 ? new DescriptorEntry(pair, "") : new DescriptorEntry(pair[..at], pair[(at + 1)..]);
    }
}
