using Weir.Stack.Tests.Running;

namespace Weir.Stack.Tests.Development;

/// <summary>The limiter's cluster as a plain <c>docker compose up</c> starts it.</summary>
[Collection("2 development")]
public sealed class ClusterTests(Stacks stacks)
{
    private static readonly string[] Nodes = ["ratelimiter-1", "ratelimiter-2", "ratelimiter-3"];

    [Fact]
    public async Task A1_EverythingComesUpAndTheLoadGeneratorOnlyWhenAskedFor()
    {
        var stack = await stacks.DevelopmentAsync();

        foreach (var service in new[] { "redis", "db", "api", "frontend", "lb", "prometheus" }.Concat(Nodes))
            Assert.Equal((service, "healthy"), (service, (await ComposeStack.InspectAsync(await stack.IdAsync(service))).At("State", "Health", "Status").Text()));
        Assert.Empty(await stack.IdsAsync("loadgen", all: true));
        Assert.Empty(await stack.IdsAsync("grafana", all: true));
    }

    [Fact]
    public async Task A2_RedisIsHealthyByPing()
    {
        var stack = await stacks.DevelopmentAsync();

        await AssertCheckAsync("redis", "ping", "5s", "3s", 3, "5s");
        Assert.Equal("PONG", await stack.RedisAsync("ping"));
    }

    [Fact]
    public async Task A3_NodesStartOnlyWhenRedisIsHealthyAndProbeThemselves()
    {
        var stack = await stacks.DevelopmentAsync();

        var healthy = stack.Events!.First("redis", "health_status: healthy");
        foreach (var node in Nodes)
        {
            Assert.True(stack.Events.First(node, "start") >= healthy, $"{node} started before Redis was healthy.");
            await AssertCheckAsync(node, "weir", "10s", "5s", 3, "10s");
        }
        Assert.NotEqual(0, (await stack.ExecAsync("ratelimiter-1", "sh", "-c", "command -v curl || command -v wget")).ExitCode);
        (await stack.ExecAsync("ratelimiter-1", "weir", "health")).Ok();
    }

    [Fact]
    public async Task A4_NodesAreNamedAndHavePortsOnTheHost()
    {
        var stack = await stacks.DevelopmentAsync();

        var defaults = await Files.Combination.Development.ServicesAsync();
        for (var i = 1; i <= 3; i++)
        {
            Assert.Equal($"800{i}", defaults.First(s => s.Name == $"ratelimiter-{i}").Value.At("ports").Items()[0].At("published").Text());
            var environment = (await ComposeStack.InspectAsync(await stack.IdAsync($"ratelimiter-{i}"))).At("Config", "Env").Items().Select(static e => e.Text()).ToList();
            Assert.Contains($"RATELIMITER_NODE_ID=ratelimiter-{i}", environment);
            Assert.Contains($"RATELIMITER_NODE_HOST=ratelimiter-{i}", environment);
            Assert.Contains("RATELIMITER_NODE_PORT=8000", environment);
            Assert.Contains(environment, static e => e.StartsWith("RATELIMITER_REDIS_URL=redis://", StringComparison.Ordinal));
            // .env's port, not the default.
            using var client = stack.Client($"RATELIMITER_{i}_PORT");
            using var health = await client.GetAsync(new Uri("/health", UriKind.Relative));
            Assert.Equal(200, (int)health.StatusCode);
        }
    }

    [Fact]
    public async Task A5_PrometheusScrapesEveryNode()
    {
        var stack = await stacks.DevelopmentAsync();
        using var client = stack.Client("PROMETHEUS_PORT");

        var up = await Eventually.SeeAsync(
            "three nodes are UP",
            async () => (await ComposeStack.JsonAsync(client, "/api/v1/targets?state=active")).At("data", "activeTargets").Items()
                .Where(static t => t.At("labels", "job").Text() == "ratelimiter" && t.At("health").Text() == "up").Select(static t => t.At("labels", "instance").Text()).Order().ToList(),
            static up => up.Count == 3,
            120);
        Assert.Equal(["ratelimiter-1:8000", "ratelimiter-2:8000", "ratelimiter-3:8000"], up);
        var settings = (await ComposeStack.JsonAsync(client, "/api/v1/status/config")).At("data", "yaml").Text();
        Assert.Contains("scrape_interval: 15s", settings);
        Assert.Contains("evaluation_interval: 15s", settings);
        foreach (var node in Nodes)
            Assert.True(stack.Events!.First("prometheus", "start") >= stack.Events.First(node, "health_status: healthy"), $"Prometheus started before {node} was healthy.");
        Assert.NotEqual("", (await stack.ConfigAsync()).At("configs", "prometheus", "content").Text());
    }

    [Fact]
    public async Task A7_TheImageHasNoSdkAndRunsAsNobodySpecial()
    {
        var stack = await stacks.DevelopmentAsync();
        var image = (await ComposeStack.InspectAsync(await stack.IdAsync("ratelimiter-1"))).At("Config");

        Assert.DoesNotContain(image.At("User").Text(), new[] { "", "0", "root" });
        Assert.Equal(["weir"], image.At("Entrypoint").Items().Select(static e => e.Text()));
        Assert.NotEqual("0", (await stack.ExecAsync("ratelimiter-1", "id", "-u")).Ok().Output.Trim());
        Assert.Equal("", (await stack.ExecAsync("ratelimiter-1", "dotnet", "--list-sdks")).Output.Trim());
        foreach (var file in new[] { "Dockerfile", "samples/AgentApi/Dockerfile" })
        {
            var lines = (await File.ReadAllLinesAsync(Path.Combine(Checkout.Repository, file))).ToList();
            var restore = lines.FindIndex(static l => l.StartsWith("RUN dotnet restore", StringComparison.Ordinal));
            var sources = lines.FindIndex(static l => l.StartsWith("COPY src/ ", StringComparison.Ordinal));
            Assert.True(restore > 0 && sources > restore, $"{file} copies sources before it restores.");
        }
    }

    [Fact]
    public async Task N4_NodesKnowEachOther()
    {
        var stack = await stacks.DevelopmentAsync();
        using var client = stack.Client("RATELIMITER_2_PORT");
        client.DefaultRequestHeaders.Authorization = new("Bearer", await SecretAsync(stack, "admin_token"));

        var nodes = await ComposeStack.JsonAsync(client, "/api/nodes");

        foreach (var node in Nodes)
            Assert.Contains(node, nodes.GetRawText());
    }

    internal static async Task<string> SecretAsync(ComposeStack stack, string name) =>
        (await File.ReadAllTextAsync(Path.Combine(stack.Folder, "deploy/development/secrets", name))).Trim();

    // By the files alone: a slow machine may run with other values.
    private static async Task AssertCheckAsync(string service, string probe, string interval, string timeout, int retries, string startPeriod)
    {
        var check = (await Files.Combination.Development.ServicesAsync()).First(s => s.Name == service).Value.At("healthcheck");
        Assert.Contains(probe, check.At("test").GetRawText());
        Assert.Equal((interval, timeout, retries, startPeriod), (check.At("interval").Text(), check.At("timeout").Text(), check.At("retries").GetInt32(), check.At("start_period").Text()));
    }
}
