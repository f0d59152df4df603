namespace Weir.LoadGen.Configuration;

/// <summary>How a setting is given.</summary>
public enum SettingKind
{
    /// <summary>Once, with a value.</summary>
    Value,

    /// <summary>Any number of times, with a value each.</summary>
    List,

    /// <summary>By being there.</summary>
    Switch,
}

/// <summary>Something that can be set: by a flag, perhaps by an environment variable, and by its name in a scenario.</summary>
/// <param name="Name">The flag without its dashes, and the name in a scenario.</param>
/// <param name="Values">What to put after the flag, in one word.</param>
/// <param name="Default">The default as it would be written; null for none.</param>
/// <param name="Description">One sentence or two.</param>
public sealed record LoadSetting(string Name, string Values, string? Default, string Description)
{
    /// <summary>The flag, such as <c>--rps</c>.</summary>
    public string Flag => "--" + Name;

    /// <summary>The environment variable, for containers; null where only the flag exists.</summary>
    public string? Variable { get; init; }

    /// <summary>How it is given.</summary>
    public SettingKind Kind { get; init; }
}
