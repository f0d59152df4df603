using Weir.Stack.Tests.Loads;
using Weir.Stack.Tests.Running;

namespace Weir.Stack.Tests.Production;

/// <summary>What restarts, what gives up, and how it all ends. These leave the stack changed, and come last.</summary>
[Collection("6 end")]
public sealed class EndTests(Stacks stacks, ITestOutputHelper output)
{
    [Fact]
    public async Task C3_StoresComeBackAndAnInstanceGivesUpAfterThreeCrashes()
    {
        var stack = await stacks.ProductionAsync();
        var redis = await stack.IdAsync("redis");
        var restarts = (await ComposeStack.InspectAsync(redis)).At("RestartCount").GetInt32();
        await Running.Faults.KillAsync(redis);
        await Eventually.BeAsync("Redis was restarted", async () => (await ComposeStack.InspectAsync(redis)).At("RestartCount").GetInt32() > restarts && await IsRunningAsync(redis));
        await ComposeStack.HealthyAsync(redis);

        await stack.ComposeAsync("stop", "redis");
        // Longer than the engine waits before it starts something again.
        await Task.Delay(TimeSpan.FromSeconds(5));
        Assert.False(await IsRunningAsync(redis));
        await stack.ComposeAsync("start", "redis");
        await ComposeStack.HealthyAsync(redis);

        await stack.ComposeAsync("up", "--detach", "--no-build", "--no-deps", "--force-recreate", "--scale", "api=1", "api");
        var api = await stack.IdAsync("api");
        for (var crash = 0; crash <= 3; crash++)
        {
            await Eventually.SeeAsync("the instance runs", () => ComposeStack.InspectAsync(api), c => c.At("State", "Status").Text() == "running" && c.At("RestartCount").GetInt32() == crash);
            await Running.Faults.KillAsync(api);
            await Eventually.SeeAsync("it noticed", () => ComposeStack.InspectAsync(api), c => c.At("State", "Status").Text() != "running" || c.At("RestartCount").GetInt32() > crash);
        }
        await Eventually.BeAsync("it has given up", async () => (await ComposeStack.InspectAsync(api)).At("State", "Status").Text() == "exited");
        await Task.Delay(TimeSpan.FromSeconds(5));
        var ended = await ComposeStack.InspectAsync(api);
        Assert.Equal(("exited", 3), (ended.At("State", "Status").Text(), ended.At("RestartCount").GetInt32()));
        await stack.UpAsync("--force-recreate");
    }

    [Fact]
    public async Task C4_WhoTakesTooMuchMemoryIsEndedAndStartedAgain()
    {
        var stack = await stacks.ProductionAsync();
        foreach (var (service, mebibytes) in new (string, int)[] { ("db", 512), ("redis", 256), ("api", 256), ("ratelimiter-1", 256) })
            Assert.Equal((long)mebibytes << 20, (await ComposeStack.InspectAsync(await stack.IdAsync(service))).At("HostConfig", "Memory").GetInt64());
        var redis = await stack.IdAsync("redis");
        var restarts = (await ComposeStack.InspectAsync(redis)).At("RestartCount").GetInt32();

        // What scripts hold is not in maxmemory.
        await stack.ExecAsync("redis", "sh", "-c",
            "REDISCLI_AUTH=\"$(cat /run/secrets/redis_password)\" redis-cli eval \"local t = {} for i = 1, 4000 do t[i] = string.rep(tostring(i), 100000) end return #t\" 0");

        await Eventually.BeAsync("Redis was ended and started again", async () => (await ComposeStack.InspectAsync(redis)).At("RestartCount").GetInt32() > restarts && await IsRunningAsync(redis));
        await ComposeStack.HealthyAsync(redis);
        await stack.HealthyAsync("api", "The application is there");
    }

    [Fact]
    public async Task C5_ABusyInstanceStaysUnderItsShare()
    {
        var stack = await stacks.ProductionAsync();
        var api = await stack.IdAsync("api");
        Assert.Equal(500_000_000, (await ComposeStack.InspectAsync(api)).At("HostConfig", "NanoCpus").GetInt64());
        var busy = Shell.DockerAsync("exec", api, "sh", "-c", "for i in 1 2; do timeout 8 sh -c 'while :; do :; done' & done; wait");

        await Task.Delay(TimeSpan.FromSeconds(2));
        var stats = (await Shell.DockerAsync("stats", "--no-stream", "--format", "{{.CPUPerc}}", api)).Ok().Output.Trim().TrimEnd('%');
        await busy;

        output.WriteLine($"two busy loops in an instance: {stats} % of a core");
        Assert.InRange(double.Parse(stats), 1, 60);
    }

    [Fact]
    public async Task C14_StoppingUnderLoadCutsNothingOff()
    {
        var stack = await stacks.ProductionAsync();
        await stack.HealthyAsync("api", "The application is there");
        var key = (await File.ReadAllLinesAsync(Path.Combine(stack.Folder, "secrets/api_keys")))[0].Split(':', 2)[1].Trim();
        var (id, _) = await Talk.BeginAsync(stack, key);
        // To the balancer itself: before a published port stands a program of Docker's, which lets everybody in and then cuts off whom the balancer does not take any more.
        var load = Load.Get(new Uri($"http://{await ComposeStack.AddressAsync(await stack.IdAsync("lb"))}:8080"), "/", 50);
        await Eventually.BeAsync("requests flow", () => Task.FromResult(load.Count > 100));
        try
        {
            await stack.ComposeAsync("stop");
            await CheckStoppedAsync(stack, await load.StopAsync());
        }
        finally
        {
            await load.StopAsync();
            await stack.UpAsync();
        }
        Assert.Contains("remember the weir", (await Talk.AskAsync(stack, key, HttpMethod.Get, $"/conversations/{id}")).GetRawText());
    }

    private async Task CheckStoppedAsync(ComposeStack stack, Report report)
    {
        output.WriteLine($"{report}");
        // Who comes too late finds a closed door, which is an answer. Whoever was let in is served.
        var cut = report.Answers.Where(static a => a.IsFailure && a.Error != "ConnectionError" && a.Status != 503).ToList();
        Assert.True(cut.Count == 0, $"{cut.Count} requests were cut off: {string.Join(", ", cut.Select(static a => a.Error ?? $"{a.Status}").Distinct())}");
        foreach (var service in new[] { "db", "redis", "api", "ratelimiter-1", "ratelimiter-2", "ratelimiter-3", "lb", "frontend", "prometheus" })
        {
            foreach (var container in await stack.IdsAsync(service, all: true))
                Assert.Equal((service, 0), (service, (await ComposeStack.InspectAsync(container)).At("State", "ExitCode").GetInt32()));
        }
        Assert.Contains("database system is shut down", await stack.LogsAsync("db"));
    }

    [Fact]
    public async Task S4_BackupsCanBeRestored()
    {
        var stack = await stacks.ProductionAsync();
        var key = (await File.ReadAllLinesAsync(Path.Combine(stack.Folder, "secrets/api_keys")))[0].Split(':', 2)[1].Trim();
        var (id, _) = await Talk.BeginAsync(stack, key);
        var line = (await stack.MakeAsync("backup")).Lines.First(static l => l.Contains("backups/", StringComparison.Ordinal));
        var file = line.Split(' ').First(static w => w.StartsWith("backups/", StringComparison.Ordinal));
        await stack.SqlAsync("delete from conversations");

        await stack.MakeAsync("restore", $"FILE={file}");

        Assert.Contains("remember the weir", (await Talk.AskAsync(stack, key, HttpMethod.Get, $"/conversations/{id}")).GetRawText());
        Assert.NotEqual(0, (await stack.TryMakeAsync("restore", "FILE=Makefile")).ExitCode);
    }

    // By its status: the engine's "Running" is true as well while it waits before it starts something again.
    private static async Task<bool> IsRunningAsync(string id) => (await ComposeStack.InspectAsync(id)).At("State", "Status").Text() == "running";
}
