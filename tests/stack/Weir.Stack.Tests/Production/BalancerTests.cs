using Weir.Stack.Tests.Running;

namespace Weir.Stack.Tests.Production;

/// <summary>The balancer, and the instances behind it.</summary>
[Collection("3 production")]
public sealed class BalancerTests(Stacks stacks)
{
    [Fact]
    public async Task C10_RequestsReachEveryInstance()
    {
        var stack = await stacks.ProductionAsync();
        await AllServeAsync(stack);
    }

    [Fact]
    public async Task C11_AnUnhealthyInstanceGetsNothingAndWithNoneTheAnswerIsClear()
    {
        var stack = await stacks.ProductionAsync();
        var ids = await stack.IdsAsync("api");
        var victim = await InstanceAsync(ids[0]);

        await MarkAsync(ids[..1], isUnwell: true);
        try
        {
            await Eventually.BeAsync("the unhealthy instance gets nothing", async () => await ServedByAsync(stack, 30) is { Count: > 0 } seen && !seen.ContainsKey(victim));
            await MarkAsync(ids, isUnwell: true);
            var status = await Eventually.SeeAsync("nobody is left", async () => (int)(await stack.Http.GetAsync(new Uri("/", UriKind.Relative))).StatusCode, static s => s == 503);
            using var nobody = await stack.Http.GetAsync(new Uri("/", UriKind.Relative));
            Assert.Equal("application/problem+json", nobody.Content.Headers.ContentType?.MediaType);
            Assert.Equal(503, Json.Parse(await nobody.Content.ReadAsStringAsync()).At("status").GetInt32());
        }
        finally
        {
            await MarkAsync(ids, isUnwell: false);
        }
        await AllServeAsync(stack);
    }

    [Fact]
    public async Task E2_EveryAnswerSaysWhoServedIt()
    {
        var stack = await stacks.ProductionAsync();
        await AllServeAsync(stack);
        Assert.Equal(3, (await ServedByAsync(stack, 20)).Count);

        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("X-Request-ID", "a-request-of-ours");
        using var answer = await stack.Http.SendAsync(request);
        var body = Json.Parse(await answer.Content.ReadAsStringAsync()).At("served_by");
        Assert.Equal("a-request-of-ours", answer.Headers.GetValues("X-Request-ID").Single());
        Assert.Equal(body.At("instance").Text(), answer.Headers.GetValues("X-Served-By").Single());
        Assert.StartsWith("api-", answer.Headers.GetValues("X-Upstream-Server").Single());
        Assert.Contains(await stack.IdsAsync("api"), id => id.StartsWith(body.At("container_id").Text(), StringComparison.Ordinal));
        Assert.NotEqual("", body.At("hostname").Text());
        // One that could do harm in logs is replaced.
        using var strange = new HttpRequestMessage(HttpMethod.Get, "/");
        strange.Headers.TryAddWithoutValidation("X-Request-ID", "<script>alert(1)</script>");
        using var other = await stack.Http.SendAsync(strange);
        Assert.Matches("^[0-9a-f-]{32,36}$", other.Headers.GetValues("X-Request-ID").Single());
    }

    [Fact]
    public async Task E3_VisitsAreCountedOverAllInstances()
    {
        var stack = await stacks.ProductionAsync();
        var before = (await ComposeStack.JsonAsync(stack.Http, "/")).At("visits").GetInt64();
        var seen = await ServedByAsync(stack, 30);

        Assert.Equal(before + 31, (await ComposeStack.JsonAsync(stack.Http, "/")).At("visits").GetInt64());
        foreach (var instance in seen.Keys)
            Assert.True(int.Parse(await stack.RedisAsync($"get requests:{instance}")) >= seen[instance], $"requests:{instance} is less than what {instance} answered");
    }

    [Fact]
    public async Task E4_TheStatusPageShowsTheInstances()
    {
        var stack = await stacks.ProductionAsync();
        await AllServeAsync(stack);
        var lines = (await stack.ExecAsync("lb", "wget", "-q", "-O", "-", "http://127.0.0.1:8404/stats;csv")).Ok().Lines;
        Assert.Equal(3, lines.Count(static l => l.StartsWith("api,api-", StringComparison.Ordinal) && l.Split(',')[17] == "UP"));
        Assert.Contains("balance \"${LB_BALANCE-leastconn}\"", await File.ReadAllTextAsync(Path.Combine(stack.Folder, "deploy/haproxy/haproxy.cfg")));
        Assert.Equal("leastconn", (await stack.ConfigAsync()).At("services", "lb", "environment", "LB_BALANCE").Text());
    }

    [Fact]
    public async Task E6_InstancesRunWithTheirShare()
    {
        var stack = await stacks.ProductionAsync();
        foreach (var id in await stack.IdsAsync("api"))
        {
            var host = (await ComposeStack.InspectAsync(id)).At("HostConfig");
            Assert.Equal((500_000_000, 256 << 20, 128 << 20), (host.At("NanoCpus").GetInt64(), host.At("Memory").GetInt64(), host.At("MemoryReservation").GetInt64()));
            Assert.Empty(host.At("PortBindings").Members());
        }
    }

    [Fact]
    public async Task E7_TheLoadTestSaysWhoDidIt()
    {
        var stack = await stacks.ProductionAsync();
        var answer = await ComposeStack.JsonAsync(stack.Http, "/load-test");
        Assert.NotEqual("", answer.At("served_by", "instance").Text());
        Assert.True(answer.At("work").GetInt32() > 0);
        using var tooMuch = await stack.Http.GetAsync(new Uri("/load-test?work=1000000000", UriKind.Relative));
        Assert.Equal(400, (int)tooMuch.StatusCode);
    }

    /// <summary>Waits until the balancer sends requests to all three instances.</summary>
    internal static Task AllServeAsync(ComposeStack stack) =>
        Eventually.SeeAsync("all three instances serve", async () => (await ServedByAsync(stack, 60)).Count, static n => n == 3, 120);

    /// <summary>Who answered how many of some requests that are sent ten at a time.</summary>
    internal static async Task<Dictionary<string, int>> ServedByAsync(ComposeStack stack, int requests)
    {
        var names = new List<string>();
        foreach (var few in Enumerable.Range(0, requests).Chunk(10))
        {
            var answers = await Task.WhenAll(few.Select(_ => stack.Http.GetAsync(new Uri("/", UriKind.Relative))));
            names.AddRange(answers.Where(static a => a.IsSuccessStatusCode).Select(static a => a.Headers.GetValues("X-Served-By").Single()));
        }
        return names.CountBy(static n => n).ToDictionary();
    }

    /// <summary>What an instance calls itself: its host name.</summary>
    internal static async Task<string> InstanceAsync(string id) => (await ComposeStack.InspectAsync(id)).At("Config", "Hostname").Text();

    internal static async Task MarkAsync(string[] ids, bool isUnwell)
    {
        foreach (var id in ids)
            (await Shell.DockerAsync("exec", id, isUnwell ? "touch" : "rm", "/tmp/unwell")).Ok();
    }
}
