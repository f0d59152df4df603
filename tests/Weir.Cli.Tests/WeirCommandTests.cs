using Weir.Server;

namespace Weir.Cli.Tests;

public sealed class WeirCommandTests
{
    [Theory]
    [InlineData("sevre", "weir: 'sevre' is not a command. Did you mean serve?")]
    [InlineData("frobnicate", "weir: 'frobnicate' is not a command.")]
    [InlineData("--versoin", "weir: '--versoin' is not a flag. Did you mean --version?")]
    [InlineData("rules explian", "weir rules: 'explian' is not a command. Did you mean explain?")]
    [InlineData("rules", "weir rules: Required command was not provided.")]
    [InlineData("serve --node-prot 80", "weir serve: '--node-prot' is not a flag. Did you mean --node-port?")]
    [InlineData("serve --node-prot=80", "weir serve: '--node-prot' is not a flag. Did you mean --node-port?")]
    [InlineData("serve --node-port", "weir serve: Required argument missing for option: '--node-port'.")]
    [InlineData("serve now", "weir serve: 'now' is one word too many.")]
    [InlineData("check", "weir check: Required argument missing for command: 'check'.")]
    [InlineData("check alice bob", "weir check: 'bob' is one word too many.")]
    [InlineData("check alice --cost -1", "weir check: --cost: '-1' must be a whole number from 0 to 1,000,000.")]
    [InlineData("check alice --cost 1.5", "weir check: --cost: '1.5' must be a whole number from 0 to 1,000,000.")]
    [InlineData("check alice --limit many", "weir check: --limit: 'many' must be a whole number from 0 to 4,294,967,295.")]
    [InlineData("check alice --window 5", "weir check: --window: '5' must be a time of whole milliseconds, such as 500ms, 10s or 1h30m.")]
    [InlineData("check alice --window 5us", "weir check: --window: '5us' must be a time of whole milliseconds, such as 500ms, 10s or 1h30m.")]
    public async Task Run_ALineThatCannotBeRead_SaysWhyAndExitsWith2(string line, string problem)
    {
        var (exitCode, output, errors) = await Cli.RunAsync(line.Split(' '));

        Assert.Equal(2, exitCode);
        Assert.Equal("", output);
        Assert.Equal([problem, $"Run '{problem.Split(':')[0]} --help' for usage and examples."], errors.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public async Task Run_ManyUnknownFlags_NamesEach()
    {
        var (_, _, errors) = await Cli.RunAsync("serve", "--node-prot", "80", "--drian-ms", "5");

        Assert.Contains("'--node-prot' is not a flag. Did you mean --node-port?", errors);
        Assert.Contains("'--drian-ms' is not a flag. Did you mean --drain-ms?", errors);
    }

    [Theory]
    [InlineData("")]
    [InlineData("--help")]
    [InlineData("serve --help")]
    [InlineData("check --help")]
    [InlineData("check -h")]
    [InlineData("health --help")]
    [InlineData("rules --help")]
    [InlineData("rules validate --help")]
    [InlineData("rules explain --help")]
    public async Task Run_Help_ShowsExamplesThatTheParserTakes(string line)
    {
        var (exitCode, output, errors) = await Cli.RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal((0, ""), (exitCode, errors));
        var examples = output[output.IndexOf("Examples:", StringComparison.Ordinal)..].Split('\n').Skip(1).Where(l => l.Length > 0).ToList();
        Assert.NotEmpty(examples);
        foreach (var words in examples.Select(e => e.Split("   ", StringSplitOptions.RemoveEmptyEntries)[0].Trim().Split(' ').SkipWhile(w => w != "weir").Skip(1)))
        {
            Assert.Empty(UsageProblems.Find(WeirCommand.Create().Parse([.. words])));
        }
    }

    [Fact]
    public async Task Run_Version_NamesVersionAndRevision() =>
        Assert.Equal((0, $"weir {BuildInfo.Version} (revision {BuildInfo.Revision})\n", ""), await Cli.RunAsync("--version"));

    [Fact]
    public async Task Run_ServeHelp_ShowsEverySetting()
    {
        var (_, output, _) = await Cli.RunAsync("serve", "--help");

        Assert.All(Weir.Server.Configuration.NodeSettings.All, s =>
        {
            Assert.Contains($"{s.Flag} <", output);
            Assert.Contains($"[{s.Name}, default: ", output);
        });
    }
}
