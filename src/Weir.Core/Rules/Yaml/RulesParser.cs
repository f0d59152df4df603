using Weir.Yaml;

namespace Weir;

/// <summary>
/// Reads rules from YAML: a superset of the format of Envoy's rate-limit service, described in <c>docs/rules.md</c>. It reads texts, not
/// files, and reports every problem of all of them at once.
/// </summary>
/// <remarks>
/// Bounded against hostile texts: nesting to 64 levels (descriptors to 16), and aliases may add no more than 100,000 values to a document. The length of
/// the text is the caller's to bound.
/// </remarks>
public static class RulesParser
{
    /// <summary>Reads files that together make one set of rules.</summary>
    /// <param name="files">The files, in the order in which problems and rules are listed.</param>
    public static RulesParseResult Parse(params IReadOnlyList<RulesFile> files) => Parse(FailurePolicy.Closed, files);

    /// <summary>Reads files that together make one set of rules.</summary>
    /// <param name="failure">The failure policy of rules that name none.</param>
    /// <param name="files">The files, in the order in which problems and rules are listed.</param>
    public static RulesParseResult Parse(FailurePolicy failure, params IReadOnlyList<RulesFile> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        var problems = new ProblemList();
        var warnings = new ProblemList();
        List<RuleDomain> domains = [];
        foreach (var file in files)
        {
            problems.Enter(file.Path);
            warnings.Enter(file.Path);
            ReadFile(file.Text, domains, problems, () => new DomainReader(problems, warnings, failure));
        }
        return new RulesParseResult(problems.Count == 0 ? new RuleSet(domains) : null, problems.ToSorted(), warnings.ToSorted());
    }

    private static void ReadFile(string text, List<RuleDomain> domains, ProblemList problems, Func<DomainReader> newReader)
    {
        var before = problems.Count;
        // A '---' before the first or after the last domain makes an empty document, which is no mistake.
        var documents = YamlReader.Read(text, problems).Where(d => d is not YamlScalar { ScalarKind: ScalarKind.Empty }).ToList();
        if (documents.Count == 0 && problems.Count == before)
            problems.Add(new YamlMark(1, 1), "The file is empty. Write domain and descriptors, or remove the file.");
        foreach (var document in documents)
        {
            if (newReader().Read(document) is { } domain)
                Add(domain, domains, problems);
        }
    }

    private static void Add(RuleDomain domain, List<RuleDomain> domains, ProblemList problems)
    {
        var other = domains.Find(d => d.Name == domain.Name && d.Name.Length > 0);
        if (other is null)
            domains.Add(domain);
        else
        {
            problems.Add(new YamlMark(domain.Place.Line, 1),
                $"Domain '{domain.Name}' in {domain.Place.File} is already defined at {other.Place}. Put its descriptors into one file.");
        }
    }
}

/// <summary>What <see cref="RulesParser"/> made of its files.</summary>
/// <param name="Rules">The rules, or null when there was a problem.</param>
/// <param name="Problems">Everything that is wrong, in the order of files and lines.</param>
/// <param name="Warnings">What is allowed but has no effect, in the same order.</param>
public sealed record RulesParseResult(RuleSet? Rules, IReadOnlyList<RulesProblem> Problems, IReadOnlyList<RulesProblem> Warnings);
