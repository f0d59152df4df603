using Weir.LoadGen.Configuration;
using Weir.LoadGen.Profiles;

namespace Weir.LoadGen.Tests.Configuration;

public sealed class ScenarioTests
{
    [Fact]
    public void Parse_OfEveryStage_PutsThemOneAfterTheOther()
    {
        var problems = new List<string>();

        var scenario = Scenario.Parse("all.yaml", """
            targets: [http://a:1, http://b:2]
            keys: zipf:100
            header: ["X-A: 1", "X-B: 2"]
            each-address: true
            stages:
              - constant: { rps: 100, duration: 10 }
              - ramp: { from: 100, to: 300, duration: 10s }
              - burst: { rps: 100, multiplier: 4, interval: 10s, length: 5s, duration: 20s }
              - spike: { rps: 50, to: 500, after: 5s, length: 2s, duration: 10s }
              - step: { from: 100, to: 300, steps: 3, duration: 30s }
              - pause: { duration: 5s }
            """, problems)!;

        Assert.Empty(problems);
        var profile = Shapes.Sequence(scenario.Stages);
        Assert.Equal(85, profile.Duration);
        Assert.Equal(1_000 + 2_000 + 3_500 + 1_400 + 6_000, profile.Planned);
        Assert.Equal(["http://a:1,http://b:2", "zipf:100", "X-A: 1;X-B: 2", "true"], scenario.Settings.Select(static s => string.Join(';', s.Value.Values)));
    }

    [Theory]
    [InlineData("- 1", "s.yaml: must be one mapping, with 'stages' and perhaps settings such as 'targets'.")]
    [InlineData("", "s.yaml: must be one mapping, with 'stages' and perhaps settings such as 'targets'.")]
    [InlineData("stages: [", "s.yaml:2: is not YAML: ")]
    [InlineData("a: 1\na: 2", "s.yaml:2: is not YAML: Duplicate key")]
    [InlineData("rsp: 5", "s.yaml:1: 'rsp' is not a setting. Known: stages, targets, rps, ")]
    [InlineData("scenario: x", "s.yaml:1: 'scenario' is not a setting. ")]
    [InlineData("rps: { a: 1 }", "s.yaml:1: rps: must be a value or a list of values.")]
    [InlineData("stages: 5", "s.yaml:1: stages: must be a list such as '- constant: { rps: 100, duration: 30s }'.")]
    [InlineData("stages:\n  - constant", "s.yaml:2: a stage must be one of constant, ramp, burst, spike, step or pause with its fields, such as 'constant: { rps: 100, duration: 30s }'.")]
    [InlineData("stages:\n  - constnat: { rps: 1 }", "s.yaml:2: 'constnat' is not a stage. Known: constant, ramp, burst, spike, step or pause.")]
    [InlineData("stages:\n  - constant: { rps: 5 }", "s.yaml:2: constant: duration is missing.")]
    [InlineData("stages:\n  - constant:\n      rps: -5\n      duration: 1s", "s.yaml:3: constant: rps: '-5' must be a rate from 0 to 1,000,000 requests a second.")]
    [InlineData("stages:\n  - constant: { rps: 5, duration: 0 }", "s.yaml:2: constant: duration: '0' must be a time from 1ms to 30d, such as 30s or 1m30s.")]
    [InlineData("stages:\n  - constant: { rps: 5, duration: 1s, for: 5 }", "s.yaml:2: constant: 'for' is not a field of it. Known: rps, duration.")]
    [InlineData("stages:\n  - burst: { rps: 5, multiplier: 2, interval: 5, length: 5, duration: 30 }", "s.yaml:2: burst: length, 5s, must be shorter than interval, 5s.")]
    [InlineData("stages:\n  - burst: { rps: 50000, multiplier: 200, interval: 5, length: 1, duration: 30 }", "s.yaml:2: burst: 50000 times 200 is more than 1,000,000 requests a second. Lower rps or multiplier.")]
    [InlineData("stages:\n  - spike: { rps: 5, to: 50, after: 5, length: 6, duration: 10 }", "s.yaml:2: spike: after and length, together 11s, must fit into duration, 10s.")]
    [InlineData("stages:\n  - step: { from: 1, to: 5, steps: 1.5, duration: 10 }", "s.yaml:2: step: steps: '1.5' must be a whole number of steps from 1 to 10,000.")]
    public void Parse_OfSomethingWrong_NamesLineAndCure(string text, string problem)
    {
        var problems = new List<string>();

        Scenario.Parse("s.yaml", text, problems);

        Assert.StartsWith(problem, Assert.Single(problems));
    }

    [Fact]
    public void Collect_SettingsOfAScenario_GiveWayToVariablesAndFlags()
    {
        using var file = new TempFile("targets: http://scenario\nrps: 1\nkeys: 5\nmax-in-flight: 6\n");

        var (config, problems) = ConfigTests.Create($"scenario={file.Path}|RPS=2|KEYS=7|keys=8");

        Assert.Empty(problems);
        Assert.Equal((2, 8, 6, "http://scenario/"), (config!.Profile.PeakRate, config.Keys.Count, config.Sending.MaxInFlight, config.Targets[0].ToString()));
    }

    [Fact]
    public void TryCreate_WithStages_TakesThem_AndRefusesFlagsThatContradict()
    {
        using var file = new TempFile("targets: http://a\nstages:\n  - constant: { rps: 7, duration: 3 }\n");

        // A container has the variable always.
        Assert.Equal(21, ConfigTests.Create($"scenario={file.Path}|RPS=100").Config!.Profile.Planned);
        var problem = Assert.Single(ConfigTests.Create($"scenario={file.Path}|rps=100").Problems);
        Assert.Equal($"--rps: has no meaning beside the stages of {Path.GetFileName(file.Path)}. Leave one of the two out.", problem);
    }

    [Fact]
    public void TryCreate_WithSettingsOfAScenarioThatAreWrong_NamesTheirLine()
    {
        using var file = new TempFile("targets: http://a\n\nrps: none\n");

        Assert.Equal($"{Path.GetFileName(file.Path)}:3: rps: 'none' must be a rate from 0.001 to 1,000,000 requests a second.", Assert.Single(ConfigTests.Create($"scenario={file.Path}").Problems));
    }

    [Fact]
    public void TryCreate_WithStagesThatSendNothing_SaysSo()
    {
        using var file = new TempFile("targets: http://a\nstages:\n  - pause: { duration: 3 }\n");

        Assert.EndsWith("no stage sends anything. Give one a rate above 0.", Assert.Single(ConfigTests.Create($"scenario={file.Path}").Problems));
    }

    private sealed class TempFile : IDisposable
    {
        public TempFile(string text) => File.WriteAllText(Path, text);

        public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"{Guid.NewGuid():n}.yaml");

        public void Dispose() => File.Delete(Path);
    }
}
