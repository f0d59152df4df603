using System.Globalization;

namespace AgentApi.Configuration;

/// <summary>Reads variables one by one and collects every problem, so that all are told together. An empty variable counts as not given.</summary>
internal sealed class SettingsReader(IReadOnlyDictionary<string, string> environment, ICollection<string> problems)
{
    /// <summary>The text of a variable, or null.</summary>
    public string? Text(string name) => environment.TryGetValue(name, out var text) && text.Trim() is { Length: > 0 } given ? given : null;

    /// <summary>Whether a variable says anything.</summary>
    public bool IsGiven(string name) => Text(name) is not null;

    /// <summary>Printable ASCII without spaces: what survives headers, keys and shells.</summary>
    public string Word(string name, string fallback, int most = 128)
    {
        var text = Text(name) ?? fallback;
        if (text.Length > most || text.Any(static c => c is <= ' ' or > '~'))
            Report(name, text, $"must be 1 to {most} printable ASCII characters without spaces");
        return text;
    }

    /// <summary>A whole number within a range.</summary>
    public int Integer(string name, int fallback, int least, int most)
    {
        if (Text(name) is not { } text)
            return fallback;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
            return value;
        Report(name, text, $"must be a whole number from {least} to {most}");
        return fallback;
    }

    /// <summary>One of several words.</summary>
    public T Choice<T>(string name, T fallback, params (string Word, T Value)[] choices)
    {
        if (Text(name) is not { } text)
            return fallback;
        var index = Array.FindIndex(choices, c => c.Word.Equals(text, StringComparison.OrdinalIgnoreCase));
        if (index < 0)
            Report(name, text, $"must be one of {string.Join(", ", choices.Select(static c => c.Word))}");
        return index < 0 ? fallback : choices[index].Value;
    }

    /// <summary>A secret from the variable itself, or from the file that the variable with <c>_FILE</c> behind its name names.</summary>
    /// <remarks>What is wrong with a secret is told without the secret.</remarks>
    public (string? Value, SecretSource Source) Secret(string name)
    {
        var file = Text(name + "_FILE");
        if (Text(name) is { } direct)
        {
            if (file is not null)
                problems.Add($"{name} and {name}_FILE are both set. Remove one of them.");
            return (direct, SecretSource.Environment);
        }
        return file is null ? (null, SecretSource.None) : (ReadFile(name + "_FILE", file), SecretSource.File);
    }

    /// <summary>Adds a problem: what is wrong with which value, and what it must be.</summary>
    public void Report(string name, string value, string cure) => problems.Add($"{name}: '{value}' {cure}.");

    /// <summary>Adds a problem whose value must not be shown.</summary>
    public void Report(string name, string cure) => problems.Add($"{name}: {cure}");

    private string? ReadFile(string name, string path)
    {
        try
        {
            if (File.ReadAllText(path).TrimEnd('\r', '\n') is { Length: > 0 } text)
                return text;
            Report(name, path, "is empty: write the secret into it");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            Report(name, path, $"cannot be read ({e.Message}): name a file that this user may read");
        }
        return null;
    }
}

/// <summary>Where a secret came from. That much may be shown.</summary>
internal enum SecretSource
{
    None,
    Environment,
    File,
}
