using System.Runtime.CompilerServices;
using Weir.LoadGen.Configuration;

namespace Weir.Cli.Tests;

public sealed class LoadCommandTests
{
    [Theory]
    [InlineData("load --rps 5", "weir load: no target is named. Give --targets http://localhost:8000, or set TARGETS.")]
    [InlineData("load --targets http://a --rps nil", "weir load: --rps: 'nil' must be a rate from 0.001 to 1,000,000 requests a second.")]
    [InlineData("load --targets http://a --burst-multiplier 2 --burst-duration 40", "weir load: --burst-duration: 40s must be shorter than --burst-interval, 30s: bursts would overlap.")]
    [InlineData("load --targets http://a --scenario /no/such/file", "weir load: --scenario: '/no/such/file' cannot be read: ")]
    public async Task Load_WithAValueThatIsWrong_SaysSoAndExitsWith2(string line, string problem)
    {
        var (exitCode, output, errors) = await Cli.RunAsync(line.Split(' '));

        Assert.Equal((2, ""), (exitCode, output));
        Assert.StartsWith(problem, errors);
    }

    [Theory]
    [InlineData("load --target http://a", "weir load: '--target' is not a flag. Did you mean --targets?")]
    [InlineData("load http://a", "weir load: 'http://a' is one word too many.")]
    [InlineData("load --rps", "weir load: Required argument missing for option: '--rps'.")]
    public async Task Load_WithALineThatCannotBeRead_SaysSoAndExitsWith2(string line, string problem)
    {
        var (exitCode, _, errors) = await Cli.RunAsync(line.Split(' '));

        Assert.Equal(2, exitCode);
        Assert.StartsWith(problem, errors);
        Assert.Contains("Run 'weir load --help'", errors);
    }

    [Fact]
    public async Task Load_WhereNobodyListens_ExitsWith2()
    {
        var url = FakeNode.UnusedUrl();

        Assert.Equal(
            (2, "", $"weir load: {url} cannot be reached: Connection refused. Start the server, correct --targets, or give --no-preflight to send all the same.\n"),
            await Cli.RunAsync("load", "--targets", url));
    }

    [Fact]
    public async Task Load_DryRun_ShowsThePlanAndSendsNothing()
    {
        var (exitCode, output, errors) = await Cli.RunAsync(
            "load", "--targets", "http://nowhere.invalid", "--rps", "100", "--duration", "30", "--ramp", "4", "--burst-multiplier", "4", "--burst-interval", "10", "--dry-run");

        Assert.Equal((0, ""), (exitCode, errors));
        Assert.Matches("BURST +10s +15s +400 +2,000.0\n", output);
        Assert.EndsWith("together 5,800 requests\n", output);
    }

    [Fact]
    public async Task Load_Help_ShowsEverySettingAndExamplesThatCanBeRead()
    {
        var (exitCode, output, errors) = await Cli.RunAsync("load", "--help");

        Assert.Equal((0, ""), (exitCode, errors));
        Assert.All(LoadSettings.All, s =>
        {
            Assert.Contains(s.Flag, output);
            Assert.True(s.Variable is null || output.Contains($"[{s.Variable}", StringComparison.Ordinal), s.Name);
        });
        var examples = output[output.IndexOf("Examples:", StringComparison.Ordinal)..].Split('\n').Skip(1).Where(static l => l.Length > 0).ToList();
        Assert.NotEmpty(examples);
        Assert.All(examples, static e => Assert.Empty(UsageProblems.Find(WeirCommand.Create().Parse([.. e.Split("   ", StringSplitOptions.RemoveEmptyEntries)[0].Trim().Split(' ').Skip(1)]))));
    }

    [Fact]
    public async Task Load_OfARepeatedHeader_SendsEach()
    {
        using var node = new FakeNode(200, "{}");

        var (exitCode, _, errors) = await Cli.RunAsync(
            "load", "--targets", node.Url, "--rps", "10", "--duration", "0.2", "--no-preflight", "--header", "X-One: 1", "--header", "X-Two: 2", "--insecure", "--each-address");

        Assert.Equal((0, ""), (exitCode, errors));
        Assert.Contains("X-One: 1\r\nX-Two: 2\r\n", node.Request);
    }

    [Fact]
    public void Documentation_ShowsLinesThatTheParserTakes()
    {
        var text = File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "load.md")).Replace("\\\n", "", StringComparison.Ordinal);
        var lines = text.Split('\n').Where(static l => l.StartsWith("weir load ", StringComparison.Ordinal)).ToList();

        Assert.True(lines.Count > 5);
        Assert.All(lines, static l => Assert.Empty(UsageProblems.Find(WeirCommand.Create().Parse(l["weir ".Length..]))));
    }

    private static string RepositoryRoot([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", ".."));
}
