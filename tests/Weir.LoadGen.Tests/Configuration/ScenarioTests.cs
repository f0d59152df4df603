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
    [InlineData("stages:\n  - step: { from: [1], to: 5, steps: 2, duration: 10 }", "s.yaml:2: step: from: must be one value, such as from: 30, and is a list.")]
    [InlineData("stages:\n  - constant: { rps: , duration: 10 }", "s.yaml:2: constant: rps: must be one value, such as rps: 30, and is empty.")]
    [InlineData("stages:\n  - constant: { rps: 5, duration: 10, ? [x] : 1 }", "s.yaml:2: a key must be a word, such as 'targets' or 'constant'.")]
    [InlineData("? [a, b]\n: 1", "s.yaml:1: a key must be a word, such as 'targets' or 'constant'.")]
    [InlineData("a: &a 5\n*a : 1", "s.yaml:2: a key must be a word, such as 'targets' or 'constant'.")]
    [InlineData("? &a [*a]\n: 1", "s.yaml:1: a key must be a word, such as 'targets' or 'constant'.")]
    [InlineData("each-address: maybe", "s.yaml:1: each-address: 'maybe' must be true or false.")]
    [InlineData("each-address: [true]", "s.yaml:1: each-address: must be true or false.")]
    [InlineData("stages:\n  - burst: { rps: 5, multiplier: 2, interval: 2ms, length: 1ms, duration: 30d }", "s.yaml:2: burst: 1,296,000,000 bursts are more than 200,000. Raise interval, 2ms, or lower duration, 30d.")]
    public void Parse_OfSomethingWrong_NamesLineAndCure(string text, string problem)
    {
        var problems = new List<string>();

        Scenario.Parse("s.yaml", text, problems);

        Assert.StartsWith(problem, Assert.Single(problems));
    }

    // Building a tree of these would take the whole stack.
    [Theory]
    [InlineData('[', ']')]
    [InlineData('{', '}')]
    public void Parse_OfSomethingNestedVeryDeep_SaysSo(char open, char close)
    {
        var problems = new List<string>();

        Scenario.Parse("s.yaml", "targets:\n  " + new string(open, 200_000) + new string(close, 200_000), problems);

        Assert.Matches("^s.yaml:2: (is nested more than 16 deep|a key must be a word)", Assert.Single(problems));
    }

    [Fact]
    public void Parse_OfVeryManySteps_SaysSoBeforeTheyFillTheMemory()
    {
        var problems = new List<string>();

        Scenario.Parse("s.yaml", "stages:\n" + string.Concat(Enumerable.Repeat("  - step: { from: 1, to: 5, steps: 10000, duration: 10 }\n", 1_000)), problems);

        Assert.Equal("s.yaml:42: stages: up to here they have more than 400,000 steps and bursts. Give them fewer.", Assert.Single(problems));
    }

    [Fact]
    public void Parse_OfAScenarioThatWasDamagedAnyhow_TellsOrReads_AndNeverThrows()
    {
        const string sound = """
            targets: [http://a:1, http://b:2]
            header: ["X-A: 1", "X-B: 2"]
            each-address: true
            expect: &promise 100/1m
            stages:
              - constant: { rps: 100, duration: 10 }
              - burst: { rps: 100, multiplier: 4, interval: 10s, length: 5s, duration: 20s }
              - spike: { rps: 50, to: 500, after: 5s, length: 2s, duration: 10s }
              - step: { from: 100, to: 300, steps: 3, duration: 30s }
            """;
        string[] splinters = ["{", "}", "[", "]", ":", ": ", "- ", ",", "&a ", "*a", "*promise", "!!int ", "!<", "|", ">\n", "\"", "'", "#", "\n", "\t", "? ", "<<: ", "---\n", "...\n", "%YAML 9.9\n", "\0", "\ud800", "-1", "1e99", "~", "@", "`"];
        var random = new Random(7);
        for (var run = 0; run < 4_000; run++)
        {
            var text = sound;
            for (var damage = random.Next(1, 5); damage > 0; damage--)
            {
                var at = random.Next(text.Length);
                var until = Math.Min(text.Length, at + random.Next(6));
                text = text[..at] + splinters[random.Next(splinters.Length)] + text[until..];
            }
            var problems = new List<string>();
            try
            {
                var scenario = Scenario.Parse("s.yaml", text, problems);
                Assert.True(scenario is not null || problems.Count == 1, text);
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"{e}\n{text}");
            }
            Assert.All(problems, static p => Assert.Matches("^s.yaml(:[0-9]+)?: .*\\.$", p.ReplaceLineEndings(" ")));
        }
    }

    [Fact]
    public void TryRead_OfADeviceWithoutAnEnd_SaysSo()
    {
        Assert.SkipUnless(File.Exists("/dev/zero"), "There is no /dev/zero here.");
        var problems = new List<string>();

        Assert.Null(Scenario.TryRead("/dev/zero", problems));

        Assert.Equal("--scenario: '/dev/zero' has more than 1,000,000 bytes. Name a smaller file.", Assert.Single(problems));
    }

    [Fact]
    public void TryCreate_OfAScenarioThatCannotBeRead_DoesNotMissTheTargetsInIt()
    {
        using var file = new TempFile("targets: http://a\nrps: [\n");

        Assert.Contains("is not YAML", Assert.Single(ConfigTests.Create($"scenario={file.Path}").Problems));
    }

    [Theory]
    [InlineData("rps: 5\nstages:\n  - constant: { rps: 7, duration: 3 }\n", "{0}:1: rps: has no meaning beside the stages of {0}. Leave one of the two out.")]
    [InlineData("stages:\n  - constant: { rps: 7, duration: 3 }\nduration: 5\n", "{0}:3: duration: has no meaning beside the stages of {0}. Leave one of the two out.")]
    [InlineData("loop: closed\nrps: 5\n", "{0}:2: rps: has no meaning with --loop closed, which sends as fast as answers come. Leave one of the two out.")]
    [InlineData("loop: closed\nwhen-full: wait\n", "{0}:2: when-full: has no meaning with --loop closed, which sends as fast as answers come. Leave one of the two out.")]
    [InlineData("loop: closed\nmin-rate: 99%\n", "{0}:2: min-rate: has no meaning as a share with --loop closed, which sends as fast as answers come. Give a rate.")]
    [InlineData("loop: closed\nstages:\n  - constant: { rps: 7, duration: 3 }\n", "--scenario: has no meaning with --loop closed, which sends as fast as answers come. Leave one of the two out.")]
    public void TryCreate_WithAScenarioThatContradictsItself_SaysSo(string text, string problem)
    {
        using var file = new TempFile(text);

        Assert.Equal(problem.Replace("{0}", Path.GetFileName(file.Path)), Assert.Single(ConfigTests.Create($"targets=http://a|scenario={file.Path}").Problems));
    }

    [Fact]
    public void TryCreate_WithVariablesBesideStages_TellsThatTheyAreNotUsed()
    {
        using var file = new TempFile("targets: http://a\nstages:\n  - constant: { rps: 7, duration: 3 }\n");

        var (config, _) = ConfigTests.Create($"scenario={file.Path}|RPS=100|DURATION=5");

        Assert.Equal($"RPS, DURATION: not used, because they have no meaning beside the stages of {Path.GetFileName(file.Path)}.", Assert.Single(config!.Notes));
    }

    [Theory]
    [InlineData("false", false)]
    [InlineData("False", false)]
    [InlineData("True", true)]
    public void TryCreate_WithASwitchInAScenario_IsOnOnlyWhereItSaysSo(string value, bool on)
    {
        using var file = new TempFile($"targets: http://a\neach-address: {value}\n");

        Assert.Equal(on, ConfigTests.Create($"scenario={file.Path}").Config!.EachAddress);
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
