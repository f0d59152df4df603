namespace Weir;

/// <summary>
/// Walks the tree as <see cref="RuleSet.Match"/> does and writes down why. For people: it may be slow, the walk of requests may not.
/// </summary>
internal sealed class RuleExplainer(RuleSet rules, RuleDomain? domain, string domainName, Descriptor descriptor)
{
    // Looking for a match off the path taken tries every branch; a tree full of overlapping patterns must not make that endless.
    private const int MaxDetours = 10_000;
    private const int MaxListed = 8;

    private readonly List<ExplanationStep> _steps = [];
    private int _detours;

    public Explanation Explain()
    {
        var match = domain is null ? UnknownDomain() : Walk(domain.Top);
        return new Explanation(domainName, descriptor, match.Kind, match.Rule, _steps);
    }

    private RuleMatch UnknownDomain()
    {
        List<string> notes = [rules.Domains.Count == 0 ? "No domain is configured." : $"Domains are: {List(rules.Domains)}."];
        if (EditDistance.Nearest(domainName, rules.Domains) is { } nearest)
            notes.Add($"Did you mean '{nearest}'?");
        Add($"There is no domain '{domainName}'", notes);
        return rules.Match(domainName, descriptor);
    }

    private RuleMatch Walk(RuleLevel top)
    {
        var entries = descriptor.Entries;
        var level = top;
        RuleNode? node = null;
        for (var i = 0; i < entries.Count; i++)
        {
            if (level is null)
                return TooDeep(node!, i);
            var next = level.Find(entries[i].Key, entries[i].Value);
            if (next is null)
                return Nothing(level, node, i);
            Taken(level, next, i);
            (node, level) = (next, next.Children);
        }
        return node is null ? Empty() : End(node);
    }

    private void Taken(RuleLevel level, RuleNode taken, int index)
    {
        var entry = descriptor.Entries[index];
        var branch = level.Branch(entry.Key)!;
        List<string> notes = [];
        if (taken.Pattern is not null)
            notes.Add($"No exact value '{entry.Value}' stands here, and this pattern is the first in the file that fits.");
        else if (taken.Value is null && branch.Nodes.Count > 1)
            notes.Add($"No exact value '{entry.Value}' and no pattern fits, so the key without a value is taken.");
        foreach (var other in branch.Nodes)
        {
            if (other != taken && PassedOver(other, taken, entry.Value) is { } note)
                notes.Add(note);
        }
        Add($"{Show(entry)}: takes {Show(taken)}", notes);
    }

    private static string? PassedOver(RuleNode other, RuleNode taken, string value)
    {
        if (other.Pattern is not null && other.Pattern.Matches(value))
        {
            return taken.Pattern is null
                ? $"Not {Show(other)}: it fits, but an exact value comes before patterns."
                : $"Not {Show(other)}: it fits, but stands later in the file.";
        }
        if (other.Value is null)
            return $"Not {Show(other)}: a key without a value is the last resort.";
        return taken.Value is null && IsNear(value, other.Value) ? $"Not {Show(other)}: {Difference(value, other.Value)}." : null;
    }

    private RuleMatch End(RuleNode node)
    {
        var children = node.Children is null ? "" : $" Below it are limits for one more entry: {Keys(node.Children)}.";
        if (node.Rule is not null)
            Add($"Rule '{node.Rule.Name}' applies", node.Children is null ? [] : [$"The descriptor ends here.{children}"]);
        else if (node.Children is null)
            Add($"No limit: {Show(node)} has neither rate_limit nor descriptors, which exempts it", []);
        else
            Add("No rule: the descriptor ends at a level that has no rate_limit", [children.TrimStart(), .. Detour()]);
        return node.Match;
    }

    private RuleMatch Empty()
    {
        Add("No rule: the descriptor has no entries", ["Give at least one entry, such as user=alice."]);
        return default;
    }

    private RuleMatch TooDeep(RuleNode node, int index)
    {
        List<string> notes = [$"A rate_limit applies only to descriptors that end exactly where it stands; {Show(node)} has no descriptors below it."];
        if (node.Rule is not null)
            notes.Add($"Rule '{node.Rule.Name}' there would apply without {Show(descriptor.Entries[index])} and what follows it.");
        Add($"No rule: the descriptor has {descriptor.Entries.Count} entries, but the tree ends after {index}", [.. notes, .. Detour()]);
        return default;
    }

    private RuleMatch Nothing(RuleLevel level, RuleNode? parent, int index)
    {
        var entry = descriptor.Entries[index];
        var where = parent is null ? $"at the top of domain '{domainName}'" : $"below {Show(parent)}";
        List<string> notes = [];
        if (level.Branch(entry.Key) is { } branch)
        {
            var values = List([.. branch.Nodes.Select(n => n.Value!)]);
            notes.Add($"Key '{entry.Key}' has here: {values}. None fits, and there is no '{entry.Key}' without a value.");
            var near = branch.Nodes.Where(n => IsNear(entry.Value, n.Value!));
            notes.AddRange(near.Select(n => $"Near miss: {Show(n)}; {Difference(entry.Value, n.Value!)}."));
        }
        else
        {
            notes.Add($"Keys here are: {Keys(level)}.");
            if (EditDistance.Nearest(entry.Key, level.Nodes.Select(n => n.Key)) is { } nearest)
                notes.Add($"Near miss: '{nearest}'; {Difference(entry.Key, nearest)}.");
        }
        Add($"No rule: nothing {where} fits {Show(entry)}", [.. notes, .. Detour()]);
        return default;
    }

    private static bool IsNear(string value, string candidate) =>
        !WildcardPattern.IsPattern(candidate) && EditDistance.Nearest(value, [candidate]) is not null;

    private static string Difference(string value, string candidate) =>
        value.Equals(candidate, StringComparison.OrdinalIgnoreCase) ? "upper and lower case matter" : "the spelling differs";

    // The classic surprise of this format: a branch that was taken hides limits beside it.
    private List<string> Detour()
    {
        if (Detour(domain!.Top, 0) is not { } hidden)
            return [];
        return
        [
            $"Rule '{hidden.Rule!.Name}' at {hidden.Place} would fit, but a branch once taken is not left again.",
            "Cure: repeat that limit below the branch taken, or make the taken branch less broad.",
        ];
    }

    private RuleNode? Detour(RuleLevel level, int index)
    {
        var entry = descriptor.Entries[index];
        foreach (var node in level.Branch(entry.Key)?.Nodes ?? [])
        {
            if (++_detours > MaxDetours || !Fits(node, entry.Value))
                continue;
            if (index == descriptor.Entries.Count - 1 && node.Rule is not null)
                return node;
            if (index < descriptor.Entries.Count - 1 && node.Children is { } below && Detour(below, index + 1) is { } found)
                return found;
        }
        return null;
    }

    private static bool Fits(RuleNode node, string value) =>
        node.Value is null || (node.Pattern?.Matches(value) ?? node.Value == value);

    private void Add(string title, IReadOnlyList<string> notes) => _steps.Add(new ExplanationStep(title, notes));

    private static string Show(RuleNode node) => $"{node} ({node.Place})";

    private static string Show(DescriptorEntry entry) => $"{entry.Key}={entry.Value}";

    private static string Keys(RuleLevel level) => List([.. level.Nodes.Select(n => n.Key).Distinct()]);

    private static string List(IReadOnlyList<string> names)
    {
        if (names.Count == 0)
            return "none";
        var shown = string.Join(", ", names.Take(MaxListed));
        return names.Count > MaxListed ? $"{shown} and {names.Count - MaxListed} more" : shown;
    }
}
