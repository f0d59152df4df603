using Weir.LoadGen.Configuration;
using Weir.LoadGen.Scheduling;

namespace Weir.LoadGen.Tests.Configuration;

public sealed class ConfigTests
{
    private const string Target = "targets=http://localhost:8000";

    [Theory]
    [InlineData("", "no target is named. Give --targets http://localhost:8000, or set TARGETS.")]
    [InlineData("targets=localhost:8000", "--targets: 'localhost:8000' must be a URL such as http://localhost:8000, without a query.")]
    [InlineData("targets=ftp://a", "--targets: 'ftp://a' must be a URL such as http://localhost:8000, without a query.")]
    [InlineData("targets=http://a/?x=1", "--targets: 'http://a/?x=1' must be a URL such as http://localhost:8000, without a query.")]
    [InlineData($"{Target}|rps=0", "--rps: '0' must be a rate from 0.001 to 1,000,000 requests a second.")]
    [InlineData($"{Target}|rps=-5", "--rps: '-5' must be a rate from 0.001 to 1,000,000 requests a second.")]
    [InlineData($"{Target}|rps=1e9", "--rps: '1e9' must be a rate from 0.001 to 1,000,000 requests a second.")]
    [InlineData($"{Target}|rps=5000000", "--rps: '5000000' must be a rate from 0.001 to 1,000,000 requests a second.")]
    [InlineData($"{Target}|rps=many", "--rps: 'many' must be a rate from 0.001 to 1,000,000 requests a second.")]
    [InlineData($"{Target}|RPS=many", "RPS: 'many' must be a rate from 0.001 to 1,000,000 requests a second.")]
    [InlineData($"{Target}|duration=-1", "--duration: '-1' must be a time such as 30, 30s, 1m30s or 250ms, from 0s to 30d.")]
    [InlineData($"{Target}|duration=soon", "--duration: 'soon' must be a time such as 30, 30s, 1m30s or 250ms, from 0s to 30d.")]
    [InlineData($"{Target}|ramp=40", "--ramp: 40s must not be longer than --duration, 30s.")]
    [InlineData($"{Target}|burst-multiplier=4|burst-interval=5|burst-duration=5", "--burst-duration: 5s must be shorter than --burst-interval, 5s: bursts would overlap.")]
    [InlineData($"{Target}|BURST_INTERVAL=3|BURST_MULTIPLIER=2|burst-duration=5", "--burst-duration: 5s must be shorter than BURST_INTERVAL, 3s: bursts would overlap.")]
    [InlineData($"{Target}|burst-multiplier=0.5", "--burst-multiplier: '0.5' must be a factor from 1 to 1,000.")]
    [InlineData($"{Target}|rps=10000|burst-multiplier=500", "--burst-multiplier: 500 times 10000 is more than 1,000,000 requests a second. Lower one of them.")]
    [InlineData($"{Target}|max-in-flight=0", "--max-in-flight: '0' must be a whole number of requests from 1 to 20,000.")]
    [InlineData($"{Target}|timeout=0", "--timeout: '0' must be a time such as 30, 30s, 1m30s or 250ms, from 1ms to 1h.")]
    [InlineData($"{Target}|keys=0", "--keys: '0' must be a number of keys, zipf:N, zipf:N:EXPONENT, fixed:NAME or file:PATH, with 1 to 10,000,000 keys.")]
    [InlineData($"{Target}|keys=zipf:10:x", "--keys: 'zipf:10:x' must be zipf:N or zipf:N:EXPONENT, with an exponent from 0 to 10.")]
    [InlineData($"{Target}|keys=fixed:", "--keys: the key is empty. Give fixed:NAME.")]
    [InlineData($"{Target}|keys=file:/no/such/file", "--keys: '/no/such/file' cannot be read: Could not find a part of the path '/no/such/file'.")]
    [InlineData($"{Target}|loop=round", "--loop: 'round' must be open or closed.")]
    [InlineData($"{Target}|loop=closed|rps=5", "--rps: has no meaning with --loop closed, which sends as fast as answers come. Leave one of the two out.")]
    [InlineData($"{Target}|when-full=cry", "--when-full: 'cry' must be skip or wait.")]
    [InlineData($"{Target}|method=G E T", "--method: 'G E T' must be an HTTP method such as GET or POST.")]
    [InlineData($"{Target}|path=x", "--path: 'x' must begin with / and have no spaces, # or letters beyond ASCII. Write those percent-encoded.")]
    [InlineData($"{Target}|path=/a b", "--path: '/a b' must begin with / and have no spaces, # or letters beyond ASCII. Write those percent-encoded.")]
    [InlineData($"{Target}|header=nonsense", "--header: 'nonsense' must be a name, a colon and a value, such as 'X-User: {key}'.")]
    [InlineData($"{Target}|body=@/no/such/file", "--body: '/no/such/file' cannot be read: Could not find a part of the path '/no/such/file'.")]
    [InlineData($"{Target}|allowed-status=20", "--allowed-status: '20' must be statuses with commas between them, such as 200,204 or 2xx.")]
    [InlineData($"{Target}|expect=lots", "--expect: 'lots' must be a promise such as '100/1m', '100/1m sliding-window', '50/1s token-bucket burst 200' or '1000/1h fixed-window cost 5', or 'rules'.")]
    [InlineData($"{Target}|expect=5/1s concurrency", "--expect: concurrency cannot be proved from outside: when a lease ends is not seen. Leave --expect out.")]
    [InlineData($"{Target}|max-failure-rate=150%", "--max-failure-rate: '150%' must be a share such as 0.5% or 0.005.")]
    [InlineData($"{Target}|max-p99=fast", "--max-p99: 'fast' must be a time such as 30, 30s, 1m30s or 250ms, from 1us to 1h.")]
    [InlineData($"{Target}|min-rate=-1", "--min-rate: '-1' must be a rate from 0 to 1,000,000 requests a second, or a share such as 99%.")]
    [InlineData($"{Target}|json=/no/such/folder/x", "--json: '/no/such/folder/x' cannot be written: Could not find a part of the path '/no/such/folder/x'. Name a file in a folder that exists and may be written to.")]
    [InlineData($"{Target}|html=/", "--html: '/' cannot be written: ")]
    [InlineData($"{Target}|scenario=/no/such/file", "--scenario: '/no/such/file' cannot be read: ")]
    [InlineData($"{Target}|loop=closed|burst-interval=5", "--burst-interval: has no meaning with --loop closed, which sends as fast as answers come. Leave one of the two out.")]
    [InlineData($"{Target}|loop=closed|burst-duration=2", "--burst-duration: has no meaning with --loop closed, which sends as fast as answers come. Leave one of the two out.")]
    [InlineData($"{Target}|loop=closed|when-full=wait", "--when-full: has no meaning with --loop closed, which sends as fast as answers come. Leave one of the two out.")]
    [InlineData($"{Target}|loop=closed|min-rate=99%", "--min-rate: has no meaning as a share with --loop closed, which sends as fast as answers come. Give a rate.")]
    [InlineData($"{Target}|burst-interval=10", "--burst-interval: has no meaning without --burst-multiplier. Give one above 1, or leave it out.")]
    [InlineData($"{Target}|burst-multiplier=2|burst-interval=2ms|burst-duration=1ms|duration=30d", "--burst-interval: 2ms makes more than 200,000 bursts. Raise it, or lower --duration.")]
    [InlineData($"{Target}|clock-offset=1ms", "--clock-offset: has no meaning without --expect. Give a promise with fixed-window, or leave it out.")]
    [InlineData($"{Target}|clock-offset=1ms|expect=5/1s", "--clock-offset: has no meaning where 5 per 1s, sliding-window is expected: only a fixed-window begins at a time of day. Leave one of the two out.")]
    [InlineData($"{Target}|keys=fixed:a|key-prefix=b", "--key-prefix: has no meaning with --keys fixed:a, which names its keys itself. Leave one of the two out.")]
    [InlineData($"{Target}|path=/|keys=5", "--keys: has no meaning where no {key} stands in path, headers or body. Put {key} there, or leave it out.")]
    [InlineData($"{Target}|header=Content-Length: 5", "--header: 'Content-Length' cannot be set: it follows from the body. Leave it out, and give --body.")]
    [InlineData($"{Target}|header=X: \u0001", "--header: 'X: \u0001' must be a name, a colon and a value, such as 'X-User: {key}'.")]
    [InlineData("targets=http://me:secret@a", "--targets: 'http://a' must have no user and password: they would not be sent. Give --header 'Authorization: ...' instead.")]
    [InlineData($"{Target}|json=/tmp/weir-same|html=/tmp/./weir-same", "--json and --html: both name '/tmp/weir-same', and one would overwrite the other. Name two files.")]
    [InlineData($"{Target}|method=connect", "--method: 'connect' must be an HTTP method such as GET or POST.")]
    [InlineData($"{Target}|seed=1.5", "--seed: '1.5' must be a whole number from 0 to 1,000,000,000,000,000.")]
    public void TryCreate_OfSomethingWrong_NamesItAndTheCure(string given, string problem)
    {
        var (config, problems) = Create(given);

        Assert.Null(config);
        Assert.StartsWith(problem, Assert.Single(problems));
    }

    [Theory]
    [InlineData("TARGETS=http://a|RPS=5|RAMP=1|KEYS=5|loop=closed", "RPS, RAMP: not used, because they have no meaning with --loop closed, which sends as fast as answers come.")]
    [InlineData("TARGETS=http://a|KEYS=5|path=/", "KEYS: not used, because it has no meaning where no {key} stands in path, headers or body.")]
    [InlineData("TARGETS=http://a|BURST_MULTIPLIER=4", "BURST_MULTIPLIER: no burst comes, because the first is due after 30s and the run lasts 30s. Lower --burst-interval.")]
    public void TryCreate_OfVariablesWithoutEffect_TellsThem(string given, string note) => Assert.Equal(note, Assert.Single(Create(given).Config!.Notes));

    [Fact]
    public void TryCreate_FromAContainerThatSwitchesBurstsOff_SaysNothing() =>
        Assert.Empty(Create("TARGETS=http://a|RPS=5|BURST_MULTIPLIER=1|BURST_INTERVAL=20|BURST_DURATION=7|RAMP=0").Config!.Notes);

    [Fact]
    public void TryCreate_OfManyThingsWrong_NamesThemAll()
    {
        var (_, problems) = Create("targets=x|rps=0|keys=0|timeout=0|loop=round");

        Assert.Equal(5, problems.Count);
    }

    [Fact]
    public void TryCreate_OfNothingButATarget_HasTheDefaults()
    {
        var (config, problems) = Create(Target);

        Assert.Empty(problems);
        Assert.Equal((50, 30, 1_500), (config!.Profile.PeakRate, config.Profile.Duration, config.Profile.Planned));
        Assert.Equal((100, TimeSpan.FromSeconds(10), WhenFull.Skip, false), (config.Sending.MaxInFlight, config.Sending.Timeout, config.WhenFull, config.IsClosed));
        Assert.Equal(("/rate-limit/{key}", "GET", 10, true), (config.Sending.Shape.Path.Text, config.Sending.Shape.Method.Method, config.Keys.Count, config.Keys.AreFresh));
    }

    [Fact]
    public void TryCreate_FromTheVariablesOfAContainer_ReadsThemAll()
    {
        var (config, problems) = Create("TARGETS=http://a:1, http://b:2|RPS=10|DURATION=60|BURST_MULTIPLIER=3|BURST_INTERVAL=20|BURST_DURATION=7|RAMP=5|KEYS=4|MAX_IN_FLIGHT=9|TIMEOUT=2");

        Assert.Empty(problems);
        Assert.Equal(["http://a:1/", "http://b:2/"], config!.Targets.Select(static t => t.ToString()));
        Assert.Equal((30, 60, 4, 9, 2), (config.Profile.PeakRate, config.Profile.Duration, config.Keys.Count, config.Sending.MaxInFlight, config.Sending.Timeout.TotalSeconds));
        Assert.Equal(25 + 550 + (2 * 7 * 20), config.Profile.Planned);
    }

    [Fact]
    public void TryCreate_AFlagWinsOverItsVariable()
    {
        var (config, _) = Create("TARGETS=http://a:1|RPS=10|rps=20");

        Assert.Equal(20, config!.Profile.PeakRate);
    }

    [Fact]
    public void TryCreate_EmptyVariables_CountAsNotSet()
    {
        var (config, problems) = Create($"{Target}|RPS=|DURATION= ");

        Assert.Empty(problems);
        Assert.Equal(50, config!.Profile.PeakRate);
    }

    [Fact]
    public void TryCreate_ChecksReportFilesWithoutLeavingOrHarmingThem()
    {
        var folder = Directory.CreateTempSubdirectory("weir-config-").FullName;
        try
        {
            var (old, fresh) = (Path.Combine(folder, "old.json"), Path.Combine(folder, "new.html"));
            File.WriteAllText(old, "keep");

            var (config, problems) = Create($"{Target}|json={old}|html={fresh}");

            Assert.Empty(problems);
            Assert.NotNull(config);
            Assert.Equal("keep", File.ReadAllText(old));
            Assert.False(File.Exists(fresh));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void TryCreate_WithKeysThatOthersMayUse_KnowsThatTheyAreNotFresh()
    {
        Assert.False(Create($"{Target}|keys=fixed:alice").Config!.Keys.AreFresh);
        Assert.False(Create($"{Target}|key-prefix=user-").Config!.Keys.AreFresh);
        // Without the key in the request all requests are one key to the limiter.
        var keyless = Create($"{Target}|path=/").Config!.Keys;
        Assert.Equal((1, false), (keyless.Count, keyless.AreFresh));
    }

    [Fact]
    public void Settings_OfAContainer_AreTheTenThatAreNamed() => Assert.Equal(
        ["TARGETS", "RPS", "DURATION", "RAMP", "BURST_MULTIPLIER", "BURST_INTERVAL", "BURST_DURATION", "KEYS", "MAX_IN_FLIGHT", "TIMEOUT"],
        LoadSettings.All.Where(static s => s.Variable is not null).Select(static s => s.Variable));

    // Names in capitals are variables, others flags.
    internal static (LoadConfig? Config, List<string> Problems) Create(string given)
    {
        var pairs = given.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(static p => p.Split('=', 2)).ToList();
        var problems = new List<string>();
        var flags = pairs.Where(static p => !char.IsUpper(p[0][0])).Select(static p => KeyValuePair.Create<string, IReadOnlyList<string>>(p[0], [p[1]]));
        var options = LoadOptions.Collect(flags, name => pairs.Find(p => p[0] == name)?[1], problems);
        return (LoadConfig.TryCreate(options, problems) is { } config && problems.Count == 0 ? config : null, problems);
    }
}
