namespace Weir.Server.Configuration;

/// <summary>
/// One setting of a node, as users meet it: a variable, a flag, a default and a sentence. Everything that speaks of settings (binding,
/// help, <c>--print-config</c>, the documentation, messages) reads it from here.
/// </summary>
public abstract class Setting
{
    /// <summary>What every variable's name begins with.</summary>
    public const string Prefix = "RATELIMITER_";

    private protected Setting(string name) => Name = Prefix + name;

    /// <summary>The environment variable, such as <c>RATELIMITER_NODE_PORT</c>.</summary>
    public string Name { get; }

    /// <summary>The flag, such as <c>--node-port</c>.</summary>
    public string Flag => "--" + Name[Prefix.Length..].Replace('_', '-').ToLowerInvariant();

    /// <summary>The value when none is given, as text; null when the setting may be absent.</summary>
    public string? Default { get; init; }

    /// <summary>What to say of the default where it is not the same everywhere; null to show <see cref="Default"/> itself.</summary>
    public string? DefaultNote { get; init; }

    /// <summary>What the setting does, as one or two sentences.</summary>
    public required string Description { get; init; }

    /// <summary>What values it takes, to follow "must be".</summary>
    public abstract string Expected { get; }

    /// <summary>Hides what others must not read, before a value is printed. By default nothing is hidden.</summary>
    internal Func<string, string> Mask { get; init; } = static text => text;
}

/// <summary>A setting whose values have a type.</summary>
internal sealed class Setting<T>(string name, SettingFormat<T> format) : Setting(name)
{
    /// <inheritdoc />
    public override string Expected => format.Expected;

    /// <summary>Reads a value.</summary>
    /// <returns>False when the text is not what <see cref="Expected"/> says.</returns>
    public bool TryParse(string text, out T value) => format.TryParse(text, out value);
}

/// <summary>Where a setting's value came from. A later one wins over an earlier one.</summary>
public enum SettingSource
{
    /// <summary>Nobody said anything.</summary>
    Default,

    /// <summary>An environment variable.</summary>
    Environment,

    /// <summary>A flag of the command line.</summary>
    Flag,
}
