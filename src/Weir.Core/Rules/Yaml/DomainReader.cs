using System.Text;

namespace Weir.Yaml;

/// <summary>Reads one document, which is one domain, into its tree.</summary>
internal sealed class DomainReader(ProblemList problems, ProblemList warnings, FailurePolicy failure)
{
    /// <summary>Levels of descriptors.</summary>
    public const int MaxLevels = 16;

    private const int MaxDomainLength = 128;

    private readonly List<Rule> _rules = [];
    private readonly Dictionary<string, YamlMark> _names = new(StringComparer.Ordinal);
    private readonly List<(YamlMark Mark, string Name)> _replaced = [];
    private string _domain = "";

    /// <summary>What is known of the way from the top to a descriptor.</summary>
    private readonly record struct Parent(string Path, int Level, string?[] Shared);

    /// <summary>The domain. It is usable only when no problem was reported.</summary>
    public RuleDomain? Read(YamlNode document)
    {
        if (document is not YamlMapping mapping)
        {
            problems.Add(document.Mark, $"The file is {document.Kind} and must be a mapping with domain and descriptors.");
            return null;
        }
        var fields = new YamlFields(mapping, RuleKeys.File, problems);
        ReadDomain(fields, mapping.Mark);
        if (!fields.Has("descriptors"))
            problems.Add(mapping.Mark, "The file has no descriptors. Add the list, or descriptors: [] for a domain without rules.");
        var nodes = ReadLevel(fields.Sequence("descriptors", "- key: user"), new Parent("", 0, []));
        foreach (var (mark, name) in _replaced.Where(r => !_names.ContainsKey(r.Name)))
            warnings.Add(mark, $"No rule of domain '{_domain}' is named '{name}', so replacing it has no effect.");
        var at = fields.Has("domain") ? fields.MarkOf("domain") : mapping.Mark;
        return new RuleDomain(_domain, Place(at), new RuleLevel(nodes), _rules);
    }

    private void ReadDomain(YamlFields fields, YamlMark start)
    {
        if (!fields.Has("domain"))
            problems.Add(start, "The file has no domain. Add domain: default for the rules of the simple API, or the name that requests give.");
        if (fields.Text("domain") is not { } name)
            return;
        _domain = name;
        if (name.Length is 0 or > MaxDomainLength || name.Any(char.IsControl))
        {
            problems.Add(fields.Find("domain")!.Value.Mark,
                $"domain '{name}' must be 1 to {MaxDomainLength} characters without control characters.");
        }
    }

    private List<RuleNode> ReadLevel(YamlSequence? list, Parent parent)
    {
        List<RuleNode> nodes = [];
        var seen = new Dictionary<(string, string?), YamlMark>();
        foreach (var item in list?.Items ?? [])
        {
            if (item is not YamlMapping mapping)
                problems.Add(item.Mark, $"An entry of descriptors is {item.Kind} and must be a mapping, such as - key: user.");
            else if (ReadNode(mapping, parent, seen) is { } node)
                nodes.Add(node);
        }
        return nodes;
    }

    private RuleNode? ReadNode(YamlMapping mapping, Parent parent, Dictionary<(string, string?), YamlMark> seen)
    {
        var fields = new YamlFields(mapping, RuleKeys.Descriptor, problems);
        var key = ReadKey(fields, mapping.Mark);
        var value = ReadValue(fields);
        // Where the key is not readable the rest still is, under a name that only serves to go on.
        var path = RulePath.Append(parent.Path, key ?? Unreadable(mapping.Mark), value);
        var isUsable = key is not null && seen.TryAdd((key, value), mapping.Mark);
        if (key is not null && !isUsable)
        {
            problems.Add(mapping.Mark, $"Descriptor {Show(key, value)} stands here a second time; " +
                $"the first is on line {seen[(key, value)].Line}. Merge the two.");
        }
        string?[] shared = [.. parent.Shared, ReadShared(fields, key, value)];
        CheckIgnored(fields);
        var rule = ReadRule(fields, path);
        var children = ReadChildren(fields, new Parent(path, parent.Level + 1, shared));
        var isShared = Array.Exists(shared, s => s is not null);
        return isUsable ? new RuleNode(key!, value, Place(mapping.Mark), rule, children, isShared ? shared : null) : null;
    }

    private RuleLevel? ReadChildren(YamlFields fields, Parent parent)
    {
        if (!fields.Has("descriptors"))
            return null;
        if (parent.Level >= MaxLevels)
        {
            problems.Add(fields.MarkOf("descriptors"), $"Descriptors nest deeper than {MaxLevels} levels. Flatten them.");
            return null;
        }
        var nodes = ReadLevel(fields.Sequence("descriptors", "- key: user"), parent);
        return nodes.Count == 0 ? null : new RuleLevel(nodes);
    }

    private string? ReadKey(YamlFields fields, YamlMark start)
    {
        if (!fields.Has("key"))
            problems.Add(start, "This descriptor has no key. Add key, such as key: user.");
        if (fields.Text("key") is not { } key)
            return null;
        var mark = fields.Find("key")!.Value.Mark;
        if (key.Length == 0)
            problems.Add(mark, "This descriptor has an empty key. Give it a name, such as user.");
        else if (WildcardPattern.IsPattern(key))
            problems.Add(mark, $"key '{key}' has a '*', but keys are matched exactly. Put the pattern in value.");
        else if (IsShort("key", key, mark))
            return key;
        return null;
    }

    // An empty value is no value, as in Envoy's service. A value that is not readable is replaced by one that is like no other, because
    // taking it for none would report a duplicate that is not there.
    private string? ReadValue(YamlFields fields)
    {
        if (fields.Find("value")?.Value.Mark is not { } mark)
            return null;
        var value = fields.Text("value");
        if (value is "")
            return null;
        return value is not null && IsShort("value", value, mark) ? value : Unreadable(mark);
    }

    private static string Unreadable(YamlMark mark) => $"*{mark.Line}:{mark.Column}";

    private bool IsShort(string field, string text, YamlMark mark)
    {
        var bytes = Encoding.UTF8.GetByteCount(text);
        if (bytes > RuleBounds.MaxKeyBytes)
            problems.Add(mark, $"{field} has {bytes:N0} bytes and may have {RuleBounds.MaxKeyBytes}. Shorten it.");
        return bytes <= RuleBounds.MaxKeyBytes;
    }

    private string? ReadShared(YamlFields fields, string? key, string? value)
    {
        if (!fields.Flag("share_threshold"))
            return null;
        if (value is not null && WildcardPattern.IsPattern(value))
            return value;
        problems.Add(fields.MarkOf("share_threshold"), "share_threshold lets the values that fit a pattern share a counter, " +
            $"but {Show(key ?? "?", value)} has no '*' in its value. Remove share_threshold, or use a pattern.");
        return null;
    }

    // Accepted because Envoy's service has them; Weir labels metrics by rule only, and has no dynamic metadata to fill.
    private static void CheckIgnored(YamlFields fields)
    {
        fields.Flag("detailed_metric");
        fields.Flag("value_to_metric");
        fields.Mapping("metadata", "metadata: {team: search}");
    }

    private Rule? ReadRule(YamlFields fields, string path)
    {
        var options = new RuleOptions { Domain = _domain, Path = path, Failure = failure, Shadow = fields.Flag("shadow_mode"), Quota = fields.Flag("quota_mode") };
        if (!fields.Has("rate_limit"))
        {
            WarnWithoutLimit(fields, "shadow_mode");
            WarnWithoutLimit(fields, "quota_mode");
            return null;
        }
        var mark = fields.MarkOf("rate_limit");
        if (fields.Mapping("rate_limit", "rate_limit: {limit: 10, window: 1m}") is not { } mapping)
            return null;
        var before = problems.Count;
        var limit = new YamlFields(mapping, RuleKeys.RateLimit, problems);
        options = new RateLimitReader(limit, mark, problems).Read(options with { Name = ReadName(limit, mark, path) });
        NoteReplaced(limit, options);
        return options is null ? null : Create(options, mark, before);
    }

    private Rule? Create(RuleOptions options, YamlMark mark, int before)
    {
        // A domain that is missing was reported once and is not the fault of every rule in it.
        var found = new List<string>();
        var rule = Rule.TryCreate(options with { Domain = _domain.Length is 0 or > MaxDomainLength ? RuleSet.DefaultDomain : _domain }, found);
        foreach (var problem in found)
            problems.Add(mark, problem);
        if (rule is not null && problems.Count == before)
            _rules.Add(rule);
        return rule;
    }

    private string ReadName(YamlFields limit, YamlMark mark, string path)
    {
        var given = limit.Text("name");
        if (given is "")
            problems.Add(limit.MarkOf("name"), "name is empty. Give one, or remove the line to name the rule after its place.");
        var name = given is null or "" ? RulePath.ToName(path) : given;
        var at = given is null ? mark : limit.MarkOf("name");
        if (!_names.TryAdd(name, at))
        {
            problems.Add(at, $"Rule name '{name}' is taken: the rule on line {_names[name].Line} of domain '{_domain}' has it. " +
                "Choose another name.");
        }
        return name;
    }

    private void NoteReplaced(YamlFields limit, RuleOptions? options)
    {
        foreach (var name in options?.Replaces ?? [])
            _replaced.Add((limit.MarkOf("replaces"), name));
    }

    private void WarnWithoutLimit(YamlFields fields, string key)
    {
        if (fields.Has(key))
            warnings.Add(fields.MarkOf(key), $"{key} has no effect on a descriptor without rate_limit.");
    }

    private RulePlace Place(YamlMark mark) => new(problems.File, (int)mark.Line);

    private static string Show(string key, string? value) => value is null ? $"'{key}'" : $"'{key}={value}'";
}
