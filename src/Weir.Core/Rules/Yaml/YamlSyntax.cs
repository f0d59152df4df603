using YamlDotNet.Core;

namespace Weir.Yaml;

/// <summary>Says in plain words, with a cure, what the YAML scanner found wrong.</summary>
internal static class YamlSyntax
{
    /// <summary>Finds a character that YAML does not allow and that its scanner would take for the end of the text.</summary>
    public static bool TryFindControl(string text, out YamlMark mark, out int code)
    {
        var (line, column) = (1, 1);
        foreach (var c in text)
        {
            if (char.IsControl(c) && c is not ('\t' or '\n' or '\r' or '\u0085'))
            {
                (mark, code) = (new YamlMark(line, column), c);
                return true;
            }
            (line, column) = c == '\n' ? (line + 1, 1) : (line, column + 1);
        }
        (mark, code) = (default, 0);
        return false;
    }

    public static (YamlMark Mark, string Message) Describe(YamlException error, string text)
    {
        var lines = text.Split('\n');
        if (FindTab(error, lines) is { } tab)
            return (tab, "This line is indented with a tab. YAML indents with spaces: replace the tab.");
        return (new YamlMark(error.Start.Line, error.Start.Column), Describe(error.Message, At(error, lines)));
    }

    private static string Describe(string message, char at)
    {
        if (message.Contains("anchor or alias", StringComparison.Ordinal))
            return "A value that begins with '*' is an alias in YAML. For a wildcard put it in quotes: \"*\".";
        if (message.Contains("invalid mapping", StringComparison.Ordinal))
            return "A second ': ' follows a value. Put the value in quotes, or indent this line like the lines around it.";
        if (message.Contains("unexpected end of stream", StringComparison.Ordinal))
            return "The quote that opens here is never closed.";
        if (message.Contains("cannot start any token", StringComparison.Ordinal))
            return $"A value cannot begin with '{at}'. Put the value in quotes.";
        if (message.Contains("unknown escape", StringComparison.Ordinal))
            return "This escape is not known in double quotes. Write \\\\ for a backslash, or use single quotes.";
        if (message.Contains("',' or '", StringComparison.Ordinal))
            return "A bracket opened above is not closed, or a comma is missing.";
        if (message.Contains("did not find expected", StringComparison.OrdinalIgnoreCase)
            || message.Contains("not allowed in this context", StringComparison.Ordinal))
            return "The indentation does not fit the lines above. Align it with the keys or list items it belongs to.";
        return $"Not valid YAML: {message}";
    }

    private static YamlMark? FindTab(YamlException error, string[] lines)
    {
        for (var line = error.Start.Line; line <= error.End.Line && line <= lines.Length; line++)
        {
            var text = lines[line - 1];
            var indent = text.Length - text.TrimStart().Length;
            var tab = text.AsSpan(0, indent).IndexOf('\t');
            if (tab >= 0 && indent < text.Length)
                return new YamlMark(line, tab + 1);
        }
        return null;
    }

    private static char At(YamlException error, string[] lines)
    {
        var line = error.Start.Line <= lines.Length ? lines[error.Start.Line - 1] : "";
        return error.Start.Column <= line.Length ? line[(int)error.Start.Column - 1] : ' ';
    }
}
