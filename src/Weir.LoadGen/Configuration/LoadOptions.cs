namespace Weir.LoadGen.Configuration;

/// <summary>What the user gave: texts, and where they came from. Flags win over the environment, the environment over the scenario, and that over defaults.</summary>
internal sealed class LoadOptions
{
    private readonly Dictionary<string, GivenValue> _given = new(StringComparer.Ordinal);

    /// <summary>Where every text came from has its name here, for messages.</summary>
    public IReadOnlyDictionary<string, GivenValue> Given => _given;

    public Scenario? Scenario { get; private set; }

    /// <summary>Puts together what was given.</summary>
    /// <param name="flags">Names of settings and their texts, in the order of the command line.</param>
    /// <param name="variable">Reads an environment variable.</param>
    /// <param name="problems">What is wrong with the scenario is told here.</param>
    public static LoadOptions Collect(IEnumerable<KeyValuePair<string, IReadOnlyList<string>>> flags, Func<string, string?> variable, List<string> problems)
    {
        var options = new LoadOptions();
        foreach (var (name, values) in flags)
            options._given[name] = new GivenValue(values, "--" + name, GivenBy.Flag);
        foreach (var setting in LoadSettings.All)
        {
            if (setting.Variable is { } named && variable(named) is { } text && !string.IsNullOrWhiteSpace(text))
                options._given.TryAdd(setting.Name, new GivenValue([text], named, GivenBy.Variable));
        }
        if (options.TextOf(LoadSettings.Scenario) is { } path)
            options.AddScenario(path, problems);
        return options;
    }

    /// <summary>The text of a setting: what was given, or the default.</summary>
    public string? TextOf(LoadSetting setting) => _given.TryGetValue(setting.Name, out var given) && given.Values.Count > 0 ? given.Values[^1] : setting.Default;

    /// <summary>All texts of a setting.</summary>
    public IReadOnlyList<string> TextsOf(LoadSetting setting) => _given.TryGetValue(setting.Name, out var given) ? given.Values : [];

    /// <summary>Whether a switch is on.</summary>
    public bool IsOn(LoadSetting setting) =>
        _given.TryGetValue(setting.Name, out var given) && !(given.Values is [var value] && value.Equals("false", StringComparison.OrdinalIgnoreCase));

    /// <summary>What to call a setting in a message: the way it was given.</summary>
    public string NameOf(LoadSetting setting) => _given.TryGetValue(setting.Name, out var given) ? given.Source : setting.Flag;

    private void AddScenario(string path, List<string> problems)
    {
        Scenario = Scenario.TryRead(path, problems);
        foreach (var (name, value) in Scenario?.Settings ?? [])
            _given.TryAdd(name, value);
    }
}

/// <summary>What was given for a setting.</summary>
/// <param name="Values">The texts.</param>
/// <param name="Source">How the user knows it: <c>--rps</c>, <c>RPS</c>, or a place in a scenario.</param>
/// <param name="By">What kind of place that is.</param>
internal sealed record GivenValue(IReadOnlyList<string> Values, string Source, GivenBy By);

/// <summary>Where a text can come from.</summary>
internal enum GivenBy
{
    /// <summary>The command line.</summary>
    Flag,

    /// <summary>The environment. Containers set all variables always, so that one of them alone says little about what is meant.</summary>
    Variable,

    /// <summary>The scenario's file.</summary>
    Scenario,
}
