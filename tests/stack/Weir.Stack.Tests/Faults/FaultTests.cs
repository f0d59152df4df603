using System.Net.Http.Json;
using Weir.Stack.Tests.Loads;
using Weir.Stack.Tests.Production;
using Weir.Stack.Tests.Running;

namespace Weir.Stack.Tests.Faults;

/// <summary>
/// What clients notice when something dies or hangs, under load through the balancer. Measured and printed: failed requests, seconds until
/// nobody is sent to the victim, and seconds until it serves again.
/// </summary>
[Collection("4 faults")]
public sealed class FaultTests(Stacks stacks, ITestOutputHelper output)
{
    // "/" counts visits in Redis and is answered without it.
    private const string Path = "/";

    [Fact]
    public async Task F1_AnInstanceIsKilled()
    {
        var stack = await stacks.ProductionAsync();
        var (id, name) = await VictimAsync(stack);

        var (report, at) = await UnderLoadAsync(stack, () => Running.Faults.KillAsync(id), async (load, since) => await BackAsync(load, name, since));

        Tell(report, name, at);
        report.AtMost(0, "the kill of an instance");
    }

    [Fact]
    public async Task F2_AnInstanceHangs()
    {
        var stack = await stacks.ProductionAsync();
        var (id, name) = await VictimAsync(stack);

        var (report, at) = await UnderLoadAsync(
            stack,
            async () =>
            {
                await Running.Faults.FreezeAsync(id);
                await Task.Delay(TimeSpan.FromSeconds(5));
                await Running.Faults.ThawAsync(id);
            },
            async (load, since) => await BackAsync(load, name, since));

        Tell(report, name, at);
        // What the instance had accepted when it froze waits in vain, and cannot be sent again: it may have been done. With leastconn that is a handful.
        report.AtMost(Math.Max(20, (int)(Load.DefaultRate / 4)), "the freeze of an instance");
    }

    [Fact]
    public async Task F3_AnInstanceSaysThatItIsUnwell()
    {
        var stack = await stacks.ProductionAsync();
        var (id, name) = await VictimAsync(stack);
        var (report, at) = await UnderLoadAsync(
            stack,
            () => BalancerTests.MarkAsync([id], isUnwell: true),
            async (load, since) =>
            {
                await Eventually.BeAsync("the unhealthy instance gets nothing", () => Task.FromResult(!load.Answers.Exists(a => a.ServedBy == name && a.SentAt > load.Now - TimeSpan.FromSeconds(2))));
                output.WriteLine($"removed after {Last(load, name, since):0.0} s");
                await BalancerTests.MarkAsync([id], isUnwell: false);
                await BackAsync(load, name, load.Now);
            });

        output.WriteLine($"{report}");
        Assert.True(at > TimeSpan.Zero);
        report.AtMost(0, "an instance that says it is unhealthy");
    }

    // Who had asked the node got no answer, and a charge is never sent twice, so the failure policy answers: those under way at that moment, or, when it hangs, those
    // of the time in which the application waits for it.
    [Fact]
    public async Task F4_ANodeOfTheLimiterIsKilled() => await LimiterAsync("ratelimiter-2", Running.Faults.KillAsync, isFrozen: false, failures: (int)(Load.DefaultRate / 4));

    [Fact]
    public async Task F5_ANodeOfTheLimiterHangs() => await LimiterAsync("ratelimiter-2", Running.Faults.FreezeAsync, isFrozen: true, failures: (int)Load.DefaultRate);

    [Fact]
    public async Task F6_RedisIsKilled() => await LimiterAsync("redis", Running.Faults.KillAsync, isFrozen: false, failures: null);

    [Fact]
    public async Task F7_RedisHangs() => await LimiterAsync("redis", Running.Faults.FreezeAsync, isFrozen: true, failures: null);

    [Fact]
    public async Task F8_PostgresIsKilled() => await LimiterAsync("db", Running.Faults.KillAsync, isFrozen: false, failures: null);

    [Fact]
    public async Task F9_PostgresHangs() => await LimiterAsync("db", Running.Faults.FreezeAsync, isFrozen: true, failures: null);

    // While the load on the balancer goes on, another one asks all three nodes for permits of one key with a limit that it reaches after the fault.
    private async Task LimiterAsync(string service, Func<string, Task> fault, bool isFrozen, int? failures)
    {
        var stack = await stacks.ProductionAsync();
        var id = await stack.IdAsync(service);
        var nodes = new List<Uri>();
        foreach (var i in new[] { 1, 2, 3 })
            nodes.Add(new Uri($"http://{await ComposeStack.AddressAsync(await stack.IdAsync($"ratelimiter-{i}"))}:8000/check"));
        var rate = Load.DefaultRate / 2;
        var limit = (int)(rate * 12);
        var key = $"fault-{Guid.NewGuid():N}";
        var limiter = Load.Of(nodes[0], rate, n => new HttpRequestMessage(HttpMethod.Post, nodes[n % 3]) { Content = JsonContent.Create(new { key, limit, window_ms = 600_000 }) });

        var (report, at) = await UnderLoadAsync(
            stack,
            async () =>
            {
                await fault(id);
                if (!isFrozen)
                    return;
                await Task.Delay(TimeSpan.FromSeconds(5));
                await Running.Faults.ThawAsync(id);
            },
            async (load, _) =>
            {
                await ComposeStack.HealthyAsync(await stack.IdAsync(service, all: true));
                await WellAsync(load, "the balancer");
                await WellAsync(limiter, "the limiter");
                await Eventually.BeAsync("the limit is reached", () => Task.FromResult(limiter.Answers.Count(static a => a.Status == 200) + limiter.Answers.Count(static a => a.IsFailure) >= limit || limiter.Answers.Count > 3 * limit), 120);
            });
        var decided = await limiter.StopAsync();

        output.WriteLine($"balancer: {report}");
        output.WriteLine($"limiter: {decided.Answers.Count(static a => a.Status == 200)} of {limit} permits given; {decided}");
        if (report.Failures > 0)
            output.WriteLine($"balancer without failure again {(report.Answers.Where(static a => a.IsFailure).Max(static a => a.At) - at).TotalSeconds:0.0} s after the fault");
        Assert.True(decided.Answers.Count(static a => a.Status == 200) <= limit, $"{decided.Answers.Count(static a => a.Status == 200)} permits of {limit} were given.");
        // It was the limit that was put to the test, not the fault that kept everybody away from it.
        Assert.True(decided.Answers.Count(static a => a.Status == 200) > limit / 2, $"Only {decided.Answers.Count(static a => a.Status == 200)} of {limit} permits were given.");
        if (failures is { } most)
            report.AtMost(most, $"the fault of {service}");
    }

    // Three seconds of load, the fault, and load until all is well again.
    private static async Task<(Report Report, TimeSpan At)> UnderLoadAsync(ComposeStack stack, Func<Task> fault, Func<Load, TimeSpan, Task> untilWell)
    {
        var load = Load.Get(stack.Http.BaseAddress!, Path);
        try
        {
            await WellAsync(load, "the balancer before the fault");
            var at = load.Now;
            await fault();
            await untilWell(load, at);
            return (await load.StopAsync(), at);
        }
        finally
        {
            await load.StopAsync();
        }
    }

    // Three seconds in which everybody was served.
    private static Task WellAsync(Load load, string who) => Eventually.BeAsync($"{who} serves for three seconds without a failure", () =>
    {
        var recent = load.Answers.Where(a => a.At > load.Now - TimeSpan.FromSeconds(3)).ToList();
        return Task.FromResult(load.Now.TotalSeconds > 3 && recent.Count > 10 && !recent.Exists(static a => a.IsFailure));
    });

    private static Task BackAsync(Load load, string name, TimeSpan since) => Eventually.BeAsync(
        $"{name} serves again", () => Task.FromResult(load.Answers.Exists(a => a.ServedBy == name && a.SentAt > since + TimeSpan.FromSeconds(4))), 120);

    private static async Task<(string Id, string Name)> VictimAsync(ComposeStack stack)
    {
        await stack.HealthyAsync("api", "Instances are there");
        await BalancerTests.AllServeAsync(stack);
        var ids = await stack.IdsAsync("api");
        // Another one each time: after three crashes an instance stays away.
        var least = ids.ToDictionary(static i => i, static _ => 0);
        foreach (var id in ids)
            least[id] = (await ComposeStack.InspectAsync(id)).At("RestartCount").GetInt32();
        var victim = least.MinBy(static p => p.Value).Key;
        return (victim, await BalancerTests.InstanceAsync(victim));
    }

    private void Tell(Report report, string name, TimeSpan at)
    {
        output.WriteLine($"{report}");
        // The pause is the longest time without an answer of the victim.
        var heard = report.Answers.Where(a => a.ServedBy == name && a.At > at - TimeSpan.FromSeconds(2)).Select(static a => a.At).Order().ToList();
        var gap = heard.Zip(heard.Skip(1)).MaxBy(static p => p.Second - p.First);
        output.WriteLine($"its last answer came {(gap.First - at).TotalSeconds:0.0} s after the fault, the next one {(gap.Second - at).TotalSeconds:0.0} s after it");
    }

    private static double Last(Load load, string name, TimeSpan since) => Math.Max(0, (load.Answers.Where(a => a.ServedBy == name).Max(static a => a.SentAt) - since).TotalSeconds);
}
