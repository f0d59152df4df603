using System.Globalization;
using Weir.Stack.Tests.Running;

namespace Weir.Stack.Tests.Development;

/// <summary>The load generator as a service of the stack.</summary>
[Collection("2 development")]
public sealed class LoadGeneratorTests(Stacks stacks)
{
    [Fact]
    public async Task B1_ItStartsWhenNodesAreHealthyAndSpreadsRequestsEvenly()
    {
        var stack = await stacks.DevelopmentAsync();
        var loadgen = (await stack.ConfigAsync()).At("services", "loadgen");
        foreach (var i in new[] { 1, 2, 3 })
            Assert.Equal("service_healthy", loadgen.At("depends_on", $"ratelimiter-{i}", "condition").Text());

        var before = await DecidedAsync(stack);
        var run = await RunAsync(stack, ["-e", "RPS=30", "-e", "DURATION=10", "-e", "BURST_MULTIPLIER=1"]);
        Assert.Equal(0, run.ExitCode);
        var decided = (await DecidedAsync(stack)).Zip(before, static (now, then) => now - then).ToList();

        // In turn, so each node has the same number; but what a busy machine cannot send in time is left out.
        Assert.Equal(300, Said(run, "asked"));
        Assert.InRange(decided.Sum(), Said(run, "sent"), Said(run, "sent") + 3);
        Assert.True(decided.Max() - decided.Min() <= 1 + Said(run, "skipped"), $"The nodes decided {string.Join(", ", decided)}.");
    }

    [Fact]
    public async Task B2_BurstsMultiplyTheRateAndARampRaisesIt()
    {
        var stack = await stacks.DevelopmentAsync();
        var run = await RunAsync(stack, ["-e", "RPS=20", "-e", "DURATION=24", "-e", "BURST_MULTIPLIER=5", "-e", "BURST_INTERVAL=10", "-e", "BURST_DURATION=5"]);

        Assert.Equal(0, run.ExitCode);
        // 24 s of 20/s, and 4 × 20/s more for five seconds from 10 s on and four from 20 s on.
        Assert.Equal((24 * 20) + (9 * 80), Said(run, "asked"));

        var ramp = await RunAsync(stack, ["-e", "RPS=40", "-e", "DURATION=10", "-e", "RAMP=10", "-e", "BURST_MULTIPLIER=1"]);
        Assert.Equal(0, ramp.ExitCode);
        Assert.Equal(200, Said(ramp, "asked"));
    }

    [Fact]
    public async Task B3_ALineEveryTenSecondsAndASummary()
    {
        var stack = await stacks.DevelopmentAsync();
        // One key, so that most requests are refused; that is no failure.
        var run = await RunAsync(stack, ["-e", "RPS=50", "-e", "DURATION=31", "-e", "KEYS=fixed:b3", "-e", "BURST_MULTIPLIER=3", "-e", "BURST_INTERVAL=10", "-e", "BURST_DURATION=5"]);

        Assert.Equal(0, run.ExitCode);
        var lines = run.Text.Split('\n').Where(static l => l.StartsWith("[00:00:", StringComparison.Ordinal)).ToList();
        Assert.True(lines.Count >= 3, run.Text);
        Assert.Contains(lines, static l => l.Contains("STEADY", StringComparison.Ordinal));
        Assert.Contains(lines, static l => l.Contains("BURST", StringComparison.Ordinal));
        Assert.All(lines, static l => Assert.Matches(@"in flight \d+/100", l));
        Assert.All(lines, static l => Assert.Matches(@"failed 0\b", l));
        Assert.Contains(lines, static l => !l.Contains("limited 0/s", StringComparison.Ordinal));
        var environment = (await stack.ConfigAsync()).At("services", "loadgen", "environment");
        Assert.Equal(("100", "10"), (environment.At("MAX_IN_FLIGHT").Text(), environment.At("TIMEOUT").Text()));
    }

    [Fact]
    public async Task B4_SigtermEndsItWithASummary()
    {
        var stack = await stacks.DevelopmentAsync();
        await stack.ComposeAsync("--profile", "load", "up", "--detach", "--no-build", "--no-deps", "loadgen");
        var id = await stack.IdAsync("loadgen");
        await Eventually.BeAsync("it has sent for ten seconds", async () => (await Shell.DockerAsync("logs", id)).Text.Contains("[00:00:10]", StringComparison.Ordinal), 60);

        (await Shell.DockerAsync("stop", "--time", "20", id)).Ok();

        var ended = await ComposeStack.InspectAsync(id);
        var log = (await Shell.DockerAsync("logs", id)).Text;
        await stack.ComposeAsync("--profile", "load", "rm", "--force", "loadgen");
        Assert.Equal(0, ended.At("State", "ExitCode").GetInt32());
        Assert.Contains("stopped after ", log);
        Assert.Contains("asked ", log);
    }

    private static async Task<CommandResult> RunAsync(ComposeStack stack, string[] environment) =>
        await stack.TryComposeAsync(["--profile", "load", "run", "--rm", "--no-deps", "--no-TTY", .. environment, "loadgen"]);

    // What the nodes themselves say that they decided by the default rule. The application asks them too, by others.
    private static async Task<List<long>> DecidedAsync(ComposeStack stack)
    {
        var counts = new List<long>();
        foreach (var i in new[] { 1, 2, 3 })
        {
            using var client = stack.Client($"RATELIMITER_{i}_PORT");
            var metrics = await client.GetStringAsync(new Uri("/metrics", UriKind.Relative));
            counts.Add(metrics.Split('\n').Where(static l => l.StartsWith("ratelimiter_rule_decisions_total{domain=\"default\",rule=\"default\"", StringComparison.Ordinal)).Sum(static l => (long)double.Parse(l.Split(' ')[^1])));
        }
        return counts;
    }

    // A number of the summary.
    private static int Said(CommandResult run, string word)
    {
        var line = run.Lines.FirstOrDefault(l => l.StartsWith($"{word} ", StringComparison.Ordinal));
        Assert.True(line is not null, run.Text);
        return int.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], NumberStyles.AllowThousands);
    }
}
