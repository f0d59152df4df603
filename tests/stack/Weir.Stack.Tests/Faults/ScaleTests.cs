using Weir.Stack.Tests.Loads;
using Weir.Stack.Tests.Production;
using Weir.Stack.Tests.Running;

namespace Weir.Stack.Tests.Faults;

/// <summary>Instances that come, go and are replaced while requests flow, by the Makefile's own targets.</summary>
[Collection("5 scaling")]
public sealed class ScaleTests(Stacks stacks, ITestOutputHelper output)
{
    [Fact]
    public async Task E1_ScalingUpAndDownLosesNothing()
    {
        var stack = await stacks.ProductionAsync();
        await stack.MakeAsync("scale-down");
        Assert.Single(await stack.IdsAsync("api"));
        var load = Load.Get(stack.Http.BaseAddress!, "/");

        await stack.MakeAsync("scale-up");
        var five = await stack.IdsAsync("api");
        Assert.Equal(5, five.Length);
        var at = load.Now;
        await Eventually.BeAsync("all five serve", () => Task.FromResult(load.Answers.Where(a => a.SentAt > at).Select(static a => a.ServedBy).Distinct().Count(static s => s is not null) == 5));
        output.WriteLine($"all five serve {(load.Now - at).TotalSeconds:0.0} s after the command ended");
        await stack.MakeAsync("scale-down");
        Assert.Single(await stack.IdsAsync("api"));
        await Task.Delay(TimeSpan.FromSeconds(3));

        var report = await load.StopAsync();
        output.WriteLine($"{report}");
        report.AtMost(0, "scaling 1, 5, 1");
    }

    [Fact]
    public async Task E5_TheMakefilesTargetsWork()
    {
        var stack = await stacks.ProductionAsync();
        await stack.MakeAsync("scale-test");
        Assert.Equal(3, (await stack.IdsAsync("api")).Length);
        Assert.Equal(3, (await stack.MakeAsync("scale-status")).Lines.Count(static l => l.StartsWith("balancer: api-", StringComparison.Ordinal) && l.Contains(" UP ", StringComparison.Ordinal)));
        Assert.Contains("done: ", (await stack.MakeAsync("load-test", $"RPS={Load.DefaultRate / 4}", "SECONDS_OF_LOAD=5")).Text);

        var demo = await stack.MakeAsync("autoscale-demo", $"RPS={Load.DefaultRate / 4}");

        Assert.Equal(["1", "3", "5", "2", "1"], demo.Lines.Where(static l => l.Contains("== ", StringComparison.Ordinal)).Select(static l => l.Split("== ")[1].Split(' ')[0]));
        Assert.Contains("no request failed", demo.Text);
        var help = (await stack.MakeAsync("help")).Text;
        foreach (var target in new[] { "up", "down", "clean", "scale-test", "scale-up", "scale-down", "scale-status", "load-test", "autoscale-demo", "roll", "backup", "restore" })
            Assert.Contains($"make {target} ", help);
    }

    [Fact]
    public async Task F10_RollingReplacesEveryInstanceAndLosesNothing()
    {
        var stack = await stacks.ProductionAsync();
        await stack.MakeAsync("scale-test");
        var old = await stack.IdsAsync("api");
        var load = Load.Get(stack.Http.BaseAddress!, "/");

        await stack.MakeAsync("roll");

        await Task.Delay(TimeSpan.FromSeconds(3));
        var report = await load.StopAsync();
        output.WriteLine($"{report}");
        var now = await stack.IdsAsync("api");
        Assert.Equal(old.Length, now.Length);
        Assert.Empty(old.Intersect(now));
        report.AtMost(0, "make roll");
    }

    [Fact]
    public async Task F11_RollingTheNodesLosesNothing()
    {
        var stack = await stacks.ProductionAsync();
        var old = await stack.IdAsync("ratelimiter-1");
        var load = Load.Get(stack.Http.BaseAddress!, "/");

        await stack.MakeAsync("roll-nodes");

        var report = await load.StopAsync();
        output.WriteLine($"{report}");
        Assert.NotEqual(old, await stack.IdAsync("ratelimiter-1"));
        report.AtMost(0, "make roll-nodes");
    }

    [Fact]
    public async Task F12_NginxInTheBalancersPlaceServesAndScales()
    {
        var stack = await stacks.ProductionAsync();
        await stack.MakeAsync("scale-test");
        try
        {
            await stack.MakeAsync("scale-test", "LB=nginx");
            Assert.Contains("nginx", (await ComposeStack.InspectAsync(await stack.IdAsync("lb"))).At("Config", "Image").Text());
            await BalancerTests.AllServeAsync(stack);
            using (var answer = await stack.Http.GetAsync(new Uri("/", UriKind.Relative)))
                Assert.All(new[] { "X-Served-By", "X-Upstream-Server", "X-Request-ID" }, h => Assert.True(answer.Headers.Contains(h), h));
            var load = Load.Get(stack.Http.BaseAddress!, "/");
            await stack.MakeAsync("scale-up", "LB=nginx");
            await stack.MakeAsync("scale-down", "LB=nginx");
            await Task.Delay(TimeSpan.FromSeconds(3));
            var report = await load.StopAsync();
            output.WriteLine($"{report}");
            // nginx has no checks of its own. One in a thousand is what it is allowed.
            report.AtMost(Math.Max(1, report.Answers.Count / 1000), "scaling behind nginx");
        }
        finally
        {
            await stack.MakeAsync("scale-test");
        }
    }
}
