namespace Weir.Server.Rules;

/// <summary>Writes rules, problems and explanations for people at a terminal.</summary>
internal static class RulesText
{
    /// <summary>Each problem with the line it is about and a mark below the place, as compilers do.</summary>
    public static void WriteProblems(RulesLoad load, TextWriter target)
    {
        foreach (var problem in load.Problems)
        {
            target.WriteLine(problem);
            WriteSource(load.Files.FirstOrDefault(f => f.Path == problem.File)?.Text, problem, target);
        }
        var files = load.Problems.Select(p => p.File).Distinct(StringComparer.Ordinal).Count();
        target.WriteLine($"{Count(load.Problems.Count, "problem")} in {Count(files, "file")}.");
    }

    /// <summary>Every domain with its rules in a table.</summary>
    public static void WriteRules(RulesLoad load, TextWriter target)
    {
        var rules = load.RuleSet!;
        foreach (var warning in load.Warnings)
            target.WriteLine($"warning: {warning}");
        foreach (var domain in rules.Domains)
        {
            target.WriteLine($"domain {domain}");
            var rows = rules.Rules.Where(r => r.Domain == domain).ToList();
            var width = Math.Min(40, rows.Select(r => r.Name.Length).DefaultIfEmpty().Max());
            foreach (var rule in rows)
                target.WriteLine($"  {rule.Name.PadRight(width)}  {Describe(rule)}");
            if (rows.Count == 0)
                target.WriteLine("  no rules: nothing is limited");
        }
        target.WriteLine($"OK: {Count(load.Files.Count, "file")}, {Count(rules.Domains.Count, "domain")}, {Count(rules.Rules.Count, "rule")}.");
    }

    /// <summary>The way through the tree, step by step, and the rule at its end.</summary>
    public static void WriteExplanation(Explanation explanation, TextWriter target)
    {
        var number = 0;
        foreach (var step in explanation.Steps)
        {
            target.WriteLine($"{++number}. {step.Title}");
            foreach (var note in step.Notes)
                target.WriteLine($"     {note}");
        }
        target.WriteLine();
        target.WriteLine(explanation switch
        {
            { Rule: { } rule } => $"Rule '{rule.Name}': {Describe(rule)}.",
            { Kind: MatchKind.Whitelisted } => "Exempt: no limit applies.",
            _ => "No rule applies.",
        });
    }

    /// <summary>What a rule does in a line, such as <c>100 per 1m, sliding-window, shadow</c>.</summary>
    public static string Describe(Rule rule)
    {
        List<string> parts = [rule.Unlimited ? "unlimited" : Limit(rule)];
        if (!rule.Unlimited)
            parts.Add(rule.Algorithm.ToName());
        if (rule.Algorithm == AlgorithmKind.TokenBucket)
            parts.Add($"burst {rule.Burst:N0}");
        if (rule.Failure != FailurePolicy.Closed)
            parts.Add($"{rule.Failure.ToString().ToLowerInvariant()} on failure");
        if (rule.Shadow)
            parts.Add("shadow: never refuses");
        if (rule.Quota)
            parts.Add("quota");
        if (rule.Replaces.Count > 0)
            parts.Add($"replaces {string.Join(", ", rule.Replaces)}");
        return string.Join(", ", parts);
    }

    private static string Limit(Rule rule)
    {
        if (rule.Permits == 0)
            return "refuses everything";
        if (rule.Calendar is { } calendar)
            return $"{rule.Permits:N0} per calendar {calendar.Unit.ToString().ToLowerInvariant()} in {calendar.Zone.Id}";
        return rule.Algorithm == AlgorithmKind.Concurrency
            ? $"{rule.Permits:N0} at once, leases of {Durations.Format(rule.WindowMicros)}"
            : $"{rule.Permits:N0} per {Durations.Format(rule.WindowMicros)}";
    }

    private static void WriteSource(string? text, RulesProblem problem, TextWriter target)
    {
        const int Longest = 120;
        var line = text?.Split('\n').ElementAtOrDefault(problem.Line - 1)?.TrimEnd().Replace('\t', ' ');
        if (string.IsNullOrEmpty(line) || problem.Column > Longest)
            return;
        target.WriteLine($"    {(line.Length > Longest ? line[..Longest] : line)}");
        target.WriteLine($"    {new string(' ', problem.Column - 1)}^");
    }

    private static string Count(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count:N0} {noun}s";
}
