using System.Text;

namespace Weir.Server.Configuration;

/// <summary>Shows settings to people: the values in force, and the table of the documentation.</summary>
public static class SettingsReport
{
    private const int CommentColumn = 44;

    /// <summary>Writes <c>NAME=value</c> for every setting, with the source of the value as a comment and secrets masked.</summary>
    public static void WriteEffective(NodeOptions options, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(output);
        foreach (var setting in NodeSettings.All)
        {
            var text = options.TextOf(setting) is { } value ? setting.Mask(value) : "";
            output.WriteLine($"{setting.Name}={text}".PadRight(CommentColumn) + $" # {Source(setting, options.SourceOf(setting))}");
        }
    }

    /// <summary>The table of every setting in Markdown.</summary>
    public static string ToMarkdown()
    {
        var text = new StringBuilder();
        text.Append("| variable | flag | default | values | meaning |\n|---|---|---|---|---|\n");
        foreach (var s in NodeSettings.All)
            text.Append($"| `{s.Name}` | `{s.Flag}` | {s.DefaultNote ?? $"`{s.Default}`"} | {s.Expected.Replace("*", "`*`")} | {s.Description} |\n");
        return text.ToString();
    }

    private static string Source(Setting setting, SettingSource source) => source switch
    {
        SettingSource.Flag => $"flag {setting.Flag}",
        SettingSource.Environment => "env",
        _ => setting.DefaultNote is { } note ? $"default ({note})" : "default",
    };
}
