using System.Runtime.CompilerServices;
using System.Text;
using Weir.LoadGen.Configuration;
using YamlDotNet.RepresentationModel;

namespace Weir.LoadGen.Tests;

public sealed class DocumentationTests
{
    private const string Begin = "<!-- settings: begin -->\n";
    private const string End = "<!-- settings: end -->\n";

    // To write the table anew after a change of the settings, run this test with WEIR_UPDATE_DOCS=1.
    [Fact]
    public void Documentation_ShowsTheTableOfSettings()
    {
        var path = PathOf("docs", "load.md");
        var text = File.ReadAllText(path);
        var begin = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        var end = text.IndexOf(End, StringComparison.Ordinal);
        if (Environment.GetEnvironmentVariable("WEIR_UPDATE_DOCS") == "1")
        {
            text = text[..begin] + Table() + text[end..];
            File.WriteAllText(path, text);
            end = text.IndexOf(End, StringComparison.Ordinal);
        }

        Assert.Equal(Table(), text[begin..end]);
    }

    [Fact]
    public void Documentation_HasAScenarioThatCanBeRead()
    {
        var block = File.ReadAllText(PathOf("docs", "load.md")).Split("```yaml\n")[1].Split("```")[0];
        var problems = new List<string>();

        var scenario = Scenario.Parse("load.md", block, problems);

        Assert.Empty(problems);
        Assert.Equal(6, scenario!.Stages.Count);
        Assert.Equal(["targets", "keys", "expect"], scenario.Settings.Select(static s => s.Key));
    }

    [Fact]
    public void Documentation_NamesVariablesThatExist()
    {
        var block = File.ReadAllText(PathOf("docs", "load.md")).Split("```yaml\n")[2].Split("```")[0];
        var yaml = new YamlStream();
        yaml.Load(new StringReader(block));
        var environment = (YamlMappingNode)yaml.Documents[0].RootNode["services"]["load"]["environment"];

        Assert.All(environment.Children.Keys, static k => Assert.Contains(LoadSettings.All, s => s.Variable == ((YamlScalarNode)k).Value));
    }

    private static string Table()
    {
        var table = new StringBuilder("| flag | variable | default | meaning |\n|---|---|---|---|\n");
        foreach (var setting in LoadSettings.All)
        {
            var flag = setting.Kind == SettingKind.Switch ? $"`{setting.Flag}`" : $"`{setting.Flag}` *{setting.Values}*";
            table.Append($"| {flag} | {Code(setting.Variable)} | {Code(setting.Default)} | {setting.Description.Replace("|", "\\|", StringComparison.Ordinal)} |\n");
        }
        return table.ToString();
    }

    private static string Code(string? text) => text is null ? "" : $"`{text}`";

    private static string PathOf(params string[] parts) => Path.Combine([RepositoryRoot(), .. parts]);

    private static string RepositoryRoot([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", ".."));
}
