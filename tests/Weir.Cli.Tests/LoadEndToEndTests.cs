using System.Text.Json;
using Weir.TestKit.Nodes;
using Weir.TestKit.Redis;

namespace Weir.Cli.Tests;

/// <summary><c>weir load</c> against <c>weir serve</c>, each a process of its own.</summary>
public sealed class LoadEndToEndTests
{
    [Theory]
    [InlineData("sliding-window")]
    [InlineData("token-bucket")]
    [InlineData("fixed-window")]
    [InlineData("sliding-counter")]
    public async Task Load_OnANode_ProvesThatItKeepsItsRules(string algorithm)
    {
        var (node, url) = await WeirProcess.ServeAsync("--default-limit", "20", "--default-window-ms", "1000", "--default-algorithm", algorithm);
        await using (node)
        {
            var load = await WeirProcess.RunAsync("load", "--targets", url, "--rps", "200", "--duration", "4", "--keys", "3", "--expect", "rules");

            Assert.True(load.ExitCode == 0, load.Output + load.Errors);
            Assert.Contains($"promise kept: 20 per 1s, {algorithm}", load.Output);
            Assert.Matches("limited +[1-9]", load.Output);
        }
    }

    [Fact]
    public async Task Load_OnTwoNodesThatDoNotShare_FindsIt()
    {
        var (first, firstUrl) = await WeirProcess.ServeAsync("--default-limit", "20");
        var (second, secondUrl) = await WeirProcess.ServeAsync("--default-limit", "20");
        await using (first)
        await using (second)
        {
            var load = await WeirProcess.RunAsync("load", "--targets", $"{firstUrl},{secondUrl}", "--rps", "100", "--duration", "2", "--keys", "2", "--expect", "20/1m");

            Assert.Equal((1, ""), (load.ExitCode, load.Errors));
            Assert.Contains("PROMISE BROKEN: 20 per 1m, sliding-window", load.Output);
            Assert.Matches("40 admitted within .*, where 20 are allowed in 1m \\(127.0.0.1:[0-9]+: 20, 127.0.0.1:[0-9]+: 20\\)", load.Output);
        }
    }

    // A window of ten minutes and requests that all leave: whatever the machine does meanwhile, each store gives out its limit once.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Load_OnThreeNodes_ProvesThatTheyShare_OrNamesTheOneThatDoesNot(bool oneAlone)
    {
        Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
        await using var server = await RedisServer.StartAsync();
        string[] common = ["--default-limit", "20", "--default-window-ms", "600000", "--decision-timeout-ms", "5000"];
        string[] shared = ["--redis-url", $"redis://127.0.0.1:{server.Port}", .. common];
        var (one, first) = await WeirProcess.ServeAsync(shared);
        await using var _ = one;
        var (two, second) = await WeirProcess.ServeAsync(shared);
        await using var __ = two;
        var (three, third) = await WeirProcess.ServeAsync(oneAlone ? common : shared);
        await using var ___ = three;

        var load = await WeirProcess.RunAsync("load", "--targets", $"{first},{second},{third}", "--rps", "150", "--duration", "2", "--keys", "2", "--when-full", "wait", "--expect", "20/10m");

        Assert.Equal((oneAlone ? 1 : 0, ""), (load.ExitCode, load.Errors));
        Assert.Contains(
            oneAlone
                ? $"PROMISE BROKEN: 20 per 10m, sliding-window\n    {third[7..]} counts for itself: alone it keeps the promise, and so do {first[7..]} and {second[7..]} without it.\n"
                : "promise kept: 20 per 10m, sliding-window\n",
            load.Output);
    }

    [Fact]
    public async Task Load_OnSigterm_WhileItReadsAPipeThatNobodyWritesTo_Ends()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "There are no named pipes in the file system here.");
        var folder = Directory.CreateTempSubdirectory("weir-load-").FullName;
        var pipe = Path.Combine(folder, "pipe");
        using (var make = System.Diagnostics.Process.Start("mkfifo", [pipe]))
            await make.WaitForExitAsync(TestContext.Current.CancellationToken);
        try
        {
            await using var load = WeirProcess.Start("load", "--targets", "http://localhost:1", "--scenario", pipe);
            // Opening the other end waits until load has opened its own.
            await using var writer = await Task.Run(() => new FileStream(pipe, FileMode.Open, FileAccess.Write), TestContext.Current.CancellationToken);
            load.Terminate();

            Assert.Equal(130, await load.ExitAsync());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Load_OnANode_WithAWrongExpectation_FindsEveryKindOfFault()
    {
        var (node, url) = await WeirProcess.ServeAsync("--default-limit", "10", "--default-window-ms", "1000");
        await using (node)
        {
            var tooMuch = await WeirProcess.RunAsync("load", "--targets", url, "--rps", "100", "--duration", "2", "--keys", "1", "--expect", "9/1s");
            var tooLittle = await WeirProcess.RunAsync("load", "--targets", url, "--rps", "100", "--duration", "2", "--keys", "1", "--expect", "12/1s");

            Assert.Equal((1, 1), (tooMuch.ExitCode, tooLittle.ExitCode));
            Assert.Contains("10 admitted within ", tooMuch.Output);
            Assert.Contains("X-RateLimit-Limit says 10, where 9 per 1s, sliding-window is expected", tooMuch.Output);
            Assert.Contains("refused although at most 10 of 12 can have been taken in the 1s before", tooLittle.Output);
        }
    }

    [Fact]
    public async Task Load_OnSigterm_StopsAndSumsUp()
    {
        var (node, url) = await WeirProcess.ServeAsync();
        await using (node)
        {
            await using var load = WeirProcess.Start("load", "--targets", url, "--rps", "50", "--duration", "0");
            await Eventually.IsTrueAsync(() => load.Output.Contains("weir load: 50/s until stopped", StringComparison.Ordinal), "it has begun");
            await Eventually.IsTrueAsync(async () => (await WeirProcess.RunAsync("check", "x", "--url", url)).ExitCode == 0, "the node answers");

            load.Terminate();

            Assert.Equal((0, ""), (await load.ExitAsync(), load.Errors));
            Assert.Contains("stopped after ", load.Output);
        }
    }

    [Fact]
    public async Task Load_OnASecondSigterm_EndsAtOnce()
    {
        using var silent = FakeNode.Silent();
        await using var load = WeirProcess.Start("load", "--targets", silent.Url, "--no-preflight", "--rps", "50", "--duration", "0", "--timeout", "1h");
        await Eventually.IsTrueAsync(() => silent.Request.Length > 0, "a request is under way");

        load.Terminate();
        await Eventually.IsTrueAsync(() => load.Output.Contains("are awaited", StringComparison.Ordinal), "it waits for the answer");
        load.Terminate();

        Assert.Equal(130, await load.ExitAsync());
    }

    [Fact]
    public async Task Load_WritesItsReports()
    {
        var folder = Directory.CreateTempSubdirectory("weir-load-").FullName;
        var (node, url) = await WeirProcess.ServeAsync();
        try
        {
            await using (node)
            {
                var load = await WeirProcess.RunAsync("load", "--targets", url, "--rps", "50", "--duration", "1",
                    "--json", Path.Combine(folder, "a.json"), "--html", Path.Combine(folder, "a.html"), "--csv", Path.Combine(folder, "a.csv"));

                Assert.Equal((0, ""), (load.ExitCode, load.Errors));
                Assert.Equal(1, JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "a.json"))).RootElement.GetProperty("schema").GetInt32());
                Assert.Contains("</html>", await File.ReadAllTextAsync(Path.Combine(folder, "a.html")));
                Assert.Equal(3, Directory.GetFiles(folder).Length);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
