namespace Weir.Yaml;

/// <summary>Reads a <c>rate_limit</c> mapping into the options of a rule: Envoy's keys with Envoy's meaning, and ours.</summary>
internal sealed class RateLimitReader(YamlFields fields, YamlMark mark, ProblemList problems)
{
    private static readonly Dictionary<string, TimeSpan> Units = new(StringComparer.OrdinalIgnoreCase)
    {
        ["second"] = TimeSpan.FromSeconds(1),
        ["minute"] = TimeSpan.FromMinutes(1),
        ["hour"] = TimeSpan.FromHours(1),
        ["day"] = TimeSpan.FromDays(1),
        ["week"] = TimeSpan.FromDays(7),
        ["month"] = TimeSpan.FromDays(30),
        ["year"] = TimeSpan.FromDays(365),
    };

    private static readonly string[] LimitingKeys = ["algorithm", "limit", "window", "burst", "calendar", "time_zone", "unit"];

    /// <summary>The options, or null when they cannot even be checked because the algorithm is not known.</summary>
    public RuleOptions? Read(RuleOptions options)
    {
        options = options with { Shadow = options.Shadow | fields.Flag("shadow"), Replaces = ReadReplaces(options.Name) };
        var failure = Choice<FailurePolicy>("failure");
        var unlimited = fields.Flag("unlimited");
        options = options with { Failure = failure ?? options.Failure, Unlimited = unlimited };
        return unlimited ? ReadUnlimited(options) : ReadLimit(options);
    }

    private RuleOptions ReadUnlimited(RuleOptions options)
    {
        foreach (var key in LimitingKeys)
        {
            if (fields.Has(key))
                problems.Add(fields.MarkOf(key), $"{key} has no place beside unlimited: true. Remove one of them.");
        }
        fields.Integer("requests_per_unit", 0, uint.MaxValue);
        return options;
    }

    private RuleOptions? ReadLimit(RuleOptions options)
    {
        CheckPairs();
        var calendar = Choice<CalendarUnit>("calendar");
        var algorithm = ReadAlgorithm();
        var window = fields.Has("unit") ? ReadUnit() : ReadWindow();
        var limit = fields.Has("limit") ? fields.Integer("limit", 0, RuleBounds.MaxFixedWindowPermits) : fields.Integer("requests_per_unit", 0, uint.MaxValue);
        var zone = fields.Text("time_zone");
        options = options with
        {
            Permits = limit ?? 0,
            Window = window ?? options.Window,
            Burst = fields.Integer("burst", 1, RuleBounds.MaxPermits),
            Calendar = calendar,
            TimeZone = calendar is null && fields.Has("calendar") ? null : zone,
        };
        return fields.Has("algorithm") && algorithm is null ? null : options with { Algorithm = algorithm ?? DefaultAlgorithm() };
    }

    private AlgorithmKind DefaultAlgorithm() =>
        fields.Has("calendar") || !(fields.Has("limit") || fields.Has("window")) ? AlgorithmKind.FixedWindow : AlgorithmKind.SlidingWindow;

    private AlgorithmKind? ReadAlgorithm()
    {
        if (fields.Text("algorithm") is not { } name)
            return null;
        if (AlgorithmNames.TryParse(name, out var algorithm))
            return algorithm;
        ReportChoice("algorithm", name, AlgorithmNames.All);
        return null;
    }

    // There are two ways to say a limit, and a mixture would leave open which algorithm is meant.
    private void CheckPairs()
    {
        Refuse("limit", "requests_per_unit", "They say the same: keep limit (with window), or requests_per_unit (with unit).");
        Refuse("window", "unit", "They say the same: keep window (with limit), or unit (with requests_per_unit).");
        Refuse("calendar", "window", "The calendar unit is the window: remove window.");
        Refuse("calendar", "unit", "The calendar unit is the window: remove unit.");
        var (isOurs, isEnvoys) = (fields.Has("limit") || fields.Has("window"), fields.Has("requests_per_unit") || fields.Has("unit"));
        if (!isOurs && !isEnvoys)
            problems.Add(mark, "rate_limit says no limit. Give limit and window, or requests_per_unit and unit, or unlimited: true.");
        else if (isOurs && !isEnvoys)
            RequireOurs();
        else if (isEnvoys && !isOurs)
            RequireEnvoys();
        else
            CheckMixture();
    }

    private void RequireOurs()
    {
        if (!fields.Has("limit"))
            problems.Add(mark, "rate_limit has a window but no limit. Add limit: how many permits a window has; 0 refuses everything.");
        if (!fields.Has("window") && !fields.Has("calendar"))
            problems.Add(mark, "rate_limit has a limit but no window. Add window, such as window: 1m (for concurrency: how long a lease lasts).");
    }

    // As in Envoy's service, requests_per_unit may be absent and is then 0.
    private void RequireEnvoys()
    {
        if (!fields.Has("unit") && !fields.Has("calendar"))
            problems.Add(mark, $"rate_limit has requests_per_unit but no unit. Add unit: {string.Join(", ", Units.Keys)}.");
    }

    private void CheckMixture()
    {
        if (fields.Has("limit") && fields.Has("unit") && !fields.Has("window") && !fields.Has("requests_per_unit"))
            problems.Add(fields.MarkOf("unit"), "unit goes with requests_per_unit, and limit with window. Write window instead, such as window: 1m.");
        if (fields.Has("requests_per_unit") && fields.Has("window") && !fields.Has("limit") && !fields.Has("unit"))
            problems.Add(fields.MarkOf("window"), "window goes with limit, and requests_per_unit with unit. Write limit instead of requests_per_unit.");
    }

    private void Refuse(string first, string second, string cure)
    {
        if (fields.Has(first) && fields.Has(second))
            problems.Add(fields.MarkOf(second), $"{second} and {first} (line {fields.MarkOf(first).Line}) stand in one rate_limit. {cure}");
    }

    private TimeSpan? ReadUnit()
    {
        if (fields.Text("unit") is not { } unit)
            return null;
        if (Units.TryGetValue(unit, out var length))
            return length;
        ReportChoice("unit", unit, Units.Keys);
        return null;
    }

    private TimeSpan? ReadWindow()
    {
        if (fields.Find("window") is not { } pair || fields.Text("window") is not { } text)
            return null;
        if (!Durations.TryParse(text, out var micros))
        {
            var cure = ((YamlScalar)pair.Value).ScalarKind == ScalarKind.Integer
                ? $"Add a unit, such as {text}s."
                : "Write whole numbers with d, h, m, s or ms, such as 1h30m.";
            problems.Add(pair.Value.Mark, $"window '{text}' is not a duration. {cure}");
            return null;
        }
        if (micros <= RuleBounds.MaxWindowMicros)
            return TimeSpan.FromMicroseconds(micros);
        problems.Add(pair.Value.Mark, $"window {text} is longer than 366d. Choose a shorter window.");
        return null;
    }

    private T? Choice<T>(string key)
        where T : struct, Enum
    {
        if (fields.Text(key) is not { } text)
            return null;
        if (Enum.GetNames<T>().Contains(text, StringComparer.OrdinalIgnoreCase))
            return Enum.Parse<T>(text, ignoreCase: true);
        ReportChoice(key, text, Enum.GetNames<T>().Select(n => n.ToLowerInvariant()));
        return null;
    }

    private void ReportChoice(string key, string text, IEnumerable<string> choices)
    {
        var nearest = EditDistance.Nearest(text, choices) is { } near ? $" Did you mean '{near}'?" : "";
        problems.Add(fields.Find(key)!.Value.Mark, $"{key} '{text}' is not known.{nearest} Choose one of {string.Join(", ", choices)}.");
    }

    private List<string> ReadReplaces(string ownName)
    {
        List<string> names = [];
        foreach (var item in fields.Sequence("replaces", "- name: other-rule")?.Items ?? [])
        {
            if (item is not YamlMapping mapping)
                problems.Add(item.Mark, $"An entry of replaces is {item.Kind} and must be a mapping, such as - name: other-rule.");
            else if (ReadReplaced(new YamlFields(mapping, RuleKeys.Replaces, problems), mapping.Mark, ownName) is { } name)
                names.Add(name);
        }
        return names;
    }

    private string? ReadReplaced(YamlFields entry, YamlMark start, string ownName)
    {
        if (!entry.Has("name"))
            problems.Add(start, "An entry of replaces has no name. Give the name of the rule to replace, or remove the entry.");
        var name = entry.Text("name");
        if (name is "")
            problems.Add(start, "An entry of replaces has an empty name. Give the name of the rule to replace, or remove the entry.");
        else if (name == ownName)
            problems.Add(entry.Find("name")!.Value.Mark, $"Rule '{ownName}' replaces itself. Name another rule, or remove the entry.");
        else
            return name;
        return null;
    }
}
