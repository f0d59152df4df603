using Weir.Stack.Tests.Running;

namespace Weir.Stack.Tests.Production;

/// <summary>Who can reach whom, tried from inside.</summary>
[Collection("3 production")]
public sealed class NetworkTests(Stacks stacks)
{
    private static readonly (string Service, int Port)[] Targets = [("db", 5432), ("redis", 6379), ("api", 8080), ("lb", 8080), ("ratelimiter-1", 8000), ("frontend", 8080)];

    [Fact]
    public async Task C9_ForbiddenPathsAreClosed()
    {
        var stack = await stacks.ProductionAsync();

        Assert.Equal(["db", "lb", "ratelimiter-1", "redis"], (await ReachedFromAsync(stack, "api")).Except(["api"]).Order());
        Assert.Equal(["db"], (await ReachedFromAsync(stack, "db")).Append("db").Distinct().Where(static s => s is "db" or "redis"));
        Assert.DoesNotContain("db", await ReachedFromAsync(stack, "redis"));
        // The page reaches the application through the balancer only.
        Assert.Equal(["lb"], (await ReachedFromAsync(stack, "frontend")).Except(["frontend"]));
        Assert.Equal(["api", "frontend"], (await ReachedFromAsync(stack, "lb")).Except(["lb"]).Order());
    }

    // Every address of every target is tried, not only the name: a name that is not found proves nothing.
    private static async Task<List<string>> ReachedFromAsync(ComposeStack stack, string source)
    {
        // Not every nc can only look (-z). Ending with 1 is not getting through; whoever gets through may wait for the other side until it is ended.
        var script = "";
        foreach (var (service, port) in Targets)
        {
            var networks = (await ComposeStack.InspectAsync(await stack.IdAsync(service))).At("NetworkSettings", "Networks").Members();
            foreach (var address in networks.Select(static n => n.Value.At("IPAddress").Text()).Where(static a => a.Length > 0))
                script += $"timeout 8 nc -w 3 {address} {port} </dev/null >/dev/null 2>&1; [ $? -eq 1 ] || echo {service}; ";
        }
        var image = (await stack.ConfigAsync()).At("services", "redis", "image").Text();
        var tried = await Shell.DockerAsync("run", "--rm", "--network", $"container:{await stack.IdAsync(source)}", "--entrypoint", "sh", image, "-c", script + "true");
        return [.. tried.Ok().Lines.Distinct()];
    }
}
