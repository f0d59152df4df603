using System.Collections;

namespace Weir.Server.Configuration;

/// <summary>What the user said about a node: raw texts from the environment and the command line. <see cref="NodeConfig.TryCreate"/> checks them.</summary>
/// <remarks>A flag wins over the environment. An empty text counts as not given, so that <c>NAME=${NAME:-}</c> means the default.</remarks>
public sealed class NodeOptions
{
    private readonly Dictionary<string, (string Text, SettingSource Source)> _given = new(StringComparer.Ordinal);
    private readonly List<string> _warnings = [];

    private NodeOptions(IEnumerable<KeyValuePair<string, string>> environment, IEnumerable<KeyValuePair<string, string>> flags)
    {
        foreach (var (name, value) in environment.Where(v => v.Key.StartsWith(Setting.Prefix)).OrderBy(v => v.Key, StringComparer.Ordinal))
            TakeVariable(name, value);
        foreach (var (flag, value) in flags)
            TakeFlag(flag, value);
    }

    /// <summary>Things that are probably mistakes but do no harm, such as variables that no setting has.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Takes the texts from variables and flags.</summary>
    /// <param name="environment">Variables; those without our prefix are left alone.</param>
    /// <param name="flags">Values by flag, such as <c>--node-port</c>.</param>
    /// <exception cref="ArgumentException">There is no such flag.</exception>
    public static NodeOptions From(IEnumerable<KeyValuePair<string, string>> environment, IEnumerable<KeyValuePair<string, string>>? flags = null)
    {
        ArgumentNullException.ThrowIfNull(environment);
        return new NodeOptions(environment, flags ?? []);
    }

    /// <summary>Takes the texts from this process's environment and from flags.</summary>
    /// <inheritdoc cref="From" />
    public static NodeOptions FromProcess(IEnumerable<KeyValuePair<string, string>>? flags = null) => From(
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Select(e => KeyValuePair.Create((string)e.Key, e.Value as string ?? "")),
        flags);

    /// <summary>The text of a setting, its default when none was given, or null when it has none.</summary>
    public string? TextOf(Setting setting)
    {
        ArgumentNullException.ThrowIfNull(setting);
        return _given.TryGetValue(setting.Name, out var given) ? given.Text : setting.Default;
    }

    /// <summary>Where the text of a setting came from.</summary>
    public SettingSource SourceOf(Setting setting)
    {
        ArgumentNullException.ThrowIfNull(setting);
        return _given.TryGetValue(setting.Name, out var given) ? given.Source : SettingSource.Default;
    }

    private void TakeVariable(string name, string value)
    {
        if (NodeSettings.All.Any(s => s.Name == name))
            Take(name, value.Trim(), SettingSource.Environment);
        else if (!IsKubernetesLink(name, value))
            _warnings.Add($"{name} is not a setting and is ignored. {Suggestion(name)}");
    }

    private void TakeFlag(string flag, string value)
    {
        var setting = NodeSettings.All.FirstOrDefault(s => s.Flag == flag) ?? throw new ArgumentException($"{flag} is not a flag.", nameof(flag));
        Take(setting.Name, value.Trim(), SettingSource.Flag);
    }

    private void Take(string name, string text, SettingSource source)
    {
        if (text.Length > 0)
            _given[name] = (text, source);
        else
            _given.Remove(name);
    }

    // Kubernetes puts variables such as RATELIMITER_SERVICE_HOST into every pod beside a service that is called ratelimiter.
    private static bool IsKubernetesLink(string name, string value) =>
        name.StartsWith(Setting.Prefix + "SERVICE_") || name.StartsWith(Setting.Prefix + "PORT_") || value.StartsWith("tcp://");

    private static string Suggestion(string name) =>
        NearestName.Find(name[Setting.Prefix.Length..], NodeSettings.All.Select(s => s.Name[Setting.Prefix.Length..])) is { } nearest
            ? $"Did you mean {Setting.Prefix}{nearest}?"
            : "Remove it; weir serve --help lists every setting.";
}
