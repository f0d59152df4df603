using Weir.LoadGen.Profiles;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Weir.LoadGen.Configuration;

/// <summary>A scenario from a YAML file: stages of load, and settings by the names of their flags.</summary>
internal sealed class Scenario
{
    private const string StagesKey = "stages";

    private readonly List<KeyValuePair<string, GivenValue>> _settings = [];
    private readonly List<Segment[]> _stages = [];
    private readonly string _name;
    private readonly List<string> _problems;

    private Scenario(string name, List<string> problems) => (_name, _problems) = (name, problems);

    /// <summary>Settings, each with its place.</summary>
    public IReadOnlyList<KeyValuePair<string, GivenValue>> Settings => _settings;

    /// <summary>Stages in order; none where the file has only settings.</summary>
    public IReadOnlyList<Segment[]> Stages => _stages;

    /// <summary>The file's name, for messages.</summary>
    public string Name => _name;

    /// <summary>Reads a file.</summary>
    /// <returns>Null when it cannot be read at all; otherwise what could be read, with all problems told.</returns>
    public static Scenario? TryRead(string path, List<string> problems)
    {
        if (TextFile.TryRead(path, Bounds.MostScenarioBytes, out var problem) is { } text)
            return Parse(Path.GetFileName(path), text, problems);
        problems.Add($"--scenario: {problem}");
        return null;
    }

    /// <summary>Reads a text.</summary>
    /// <param name="name">The file's name, for messages.</param>
    /// <param name="text">Its content.</param>
    /// <param name="problems">What is wrong is told here.</param>
    public static Scenario? Parse(string name, string text, List<string> problems)
    {
        var scenario = new Scenario(name, problems);
        try
        {
            if (YamlShape.FindProblem(text) is var (line, problem))
            {
                problems.Add($"{name}:{line}: {problem}");
                return null;
            }
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            if (stream.Documents is [{ RootNode: YamlMappingNode root }])
                scenario.ReadRoot(root);
            else
                problems.Add($"{name}: must be one mapping, with 'stages' and perhaps settings such as 'targets'.");
            return scenario;
        }
        catch (YamlException e)
        {
            problems.Add($"{name}:{e.Start.Line}: is not YAML: {(e.InnerException?.Message ?? e.Message).TrimEnd('.')}.");
            return null;
        }
    }

    private void ReadRoot(YamlMappingNode root)
    {
        foreach (var (key, value) in root.Children)
        {
            var setting = (key as YamlScalarNode)?.Value ?? "";
            if (setting == StagesKey)
                ReadStages(value);
            else if (LoadSettings.All.FirstOrDefault(s => s.Name == setting && s != LoadSettings.Scenario) is { } known)
                ReadSetting(known, key, value);
            else
                Problem(key, $"'{setting}' is not a setting. Known: {StagesKey}, {string.Join(", ", LoadSettings.All.Where(static s => s != LoadSettings.Scenario).Select(static s => s.Name))}.");
        }
    }

    private void ReadSetting(LoadSetting setting, YamlNode key, YamlNode value)
    {
        var texts = value switch
        {
            YamlScalarNode scalar => [scalar.Value ?? ""],
            YamlSequenceNode list when setting.Kind != SettingKind.Switch && list.Children.All(static c => c is YamlScalarNode) => list.Children.Select(static c => ((YamlScalarNode)c).Value ?? "").ToList(),
            _ => null,
        };
        if (texts is null)
        {
            Problem(value, $"{setting.Name}: must be {(setting.Kind == SettingKind.Switch ? "true or false" : "a value or a list of values")}.");
            return;
        }
        if (setting.Kind == SettingKind.Switch && !bool.TryParse(texts[0], out _))
        {
            Problem(value, $"{setting.Name}: '{texts[0]}' must be true or false.");
            return;
        }
        // A list is what commas make of it elsewhere.
        IReadOnlyList<string> given = setting.Kind == SettingKind.List ? texts : [string.Join(',', texts)];
        _settings.Add(KeyValuePair.Create(setting.Name, new GivenValue(given, $"{_name}:{key.Start.Line}: {setting.Name}", GivenBy.Scenario)));
    }

    private void ReadStages(YamlNode value)
    {
        if (value is not YamlSequenceNode { Children.Count: > 0 } list)
        {
            Problem(value, $"{StagesKey}: must be a list such as '- constant: {{ rps: 100, duration: 30s }}'.");
            return;
        }
        foreach (var item in list.Children)
        {
            if (item is not YamlMappingNode { Children.Count: 1 } mapping || mapping.Children.First() is not { Key: YamlScalarNode kind, Value: YamlMappingNode fields })
                Problem(item, $"a stage must be one of {Stage.Kinds} with its fields, such as 'constant: {{ rps: 100, duration: 30s }}'.");
            else if (new Stage(kind.Value ?? "", fields, this).TryRead() is { } segments)
                _stages.Add(segments);
            if (_stages.Sum(static s => s.Length) > Bounds.MostSegments)
            {
                Problem(item, $"{StagesKey}: up to here they have more than {Bounds.MostSegments:N0} steps and bursts. Give them fewer.");
                return;
            }
        }
    }

    /// <summary>Tells a problem with its place.</summary>
    public void Problem(YamlNode node, string text) => _problems.Add($"{_name}:{node.Start.Line}: {text}");
}
