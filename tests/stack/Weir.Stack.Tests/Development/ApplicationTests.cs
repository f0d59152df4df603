using System.Net.Http.Json;
using System.Text.Json;
using Weir.Stack.Tests.Running;

namespace Weir.Stack.Tests.Development;

/// <summary>The sample application while it is developed.</summary>
[Collection("2 development")]
public sealed class ApplicationTests(Stacks stacks)
{
    private static readonly string[] Secrets = ["db_password", "redis_password", "admin_token"];

    [Fact]
    public async Task D1_ItTellsOfItselfAndNeverAPassword()
    {
        var stack = await stacks.DevelopmentAsync();

        var root = await ComposeStack.JsonAsync(stack.Http, "/");
        Assert.Equal(("db", "redis"), (root.At("database_host").Text(), root.At("cache_host").Text()));
        Assert.NotEqual("", root.At("message").Text());
        Assert.NotEqual("", root.At("served_by", "hostname").Text());
        Assert.NotEqual("", root.At("served_by", "instance").Text());
        Assert.Equal("ok", (await ComposeStack.JsonAsync(stack.Http, "/health")).At("status").Text());
        Assert.Equal("debug", (await ComposeStack.JsonAsync(stack.Http, "/config")).At("log_level").Text());
        var stats = await ComposeStack.JsonAsync(stack.Http, "/stats");
        Assert.True(stats.At("memory", "working_set_bytes").GetInt64() > 0);
        Assert.True(stats.At("database", "connections").GetInt64() > 0 && stats.At("cache", "connections").GetInt64() > 0);
        var said = string.Concat(await Task.WhenAll(new[] { "/", "/health", "/config", "/stats" }.Select(p => stack.Http.GetStringAsync(new Uri(p, UriKind.Relative)))));
        var logs = (await stack.ComposeAsync("logs", "--no-color")).Text;
        foreach (var secret in Secrets)
        {
            var value = await ClusterTests.SecretAsync(stack, secret);
            Assert.DoesNotContain(value, said);
            Assert.DoesNotContain(value, logs);
        }
    }

    [Fact]
    public async Task D2_ConversationsAndSessionsOutliveDownAndUp()
    {
        var stack = await stacks.DevelopmentAsync();
        Assert.Equal("appendonly\nyes", await stack.RedisAsync("config get appendonly"));
        var (id, _) = await Talk.BeginAsync(stack, await KeyAsync(stack));

        await stack.ComposeAsync("down", "--timeout", "20");
        Assert.Empty(await stack.IdsAsync("db", all: true));
        await stack.UpAsync();

        var shown = await Talk.AskAsync(stack, await KeyAsync(stack), HttpMethod.Get, $"/conversations/{id}");
        Assert.Contains("remember the weir", shown.GetRawText());
        var session = await Talk.AskAsync(stack, await KeyAsync(stack), HttpMethod.Get, "/session");
        Assert.Contains(id, session.GetRawText());
    }

    [Fact]
    public async Task D3_ServicesReachEachOtherByName()
    {
        var stack = await stacks.DevelopmentAsync();
        foreach (var name in new[] { "db", "redis", "cache", "ratelimiter-1", "ratelimiter" })
            Assert.True((await stack.ExecAsync("api", "getent", "hosts", name)).ExitCode == 0, $"api does not find {name}");
    }

    [Fact]
    public async Task D4_EditingASourceChangesTheRunningService()
    {
        var stack = await stacks.DevelopmentAsync();
        const string Before = "An assistant with memory", After = "An assistant that was edited";
        Assert.Equal(Before, (await ComposeStack.JsonAsync(stack.Http, "/")).At("message").Text());
        var container = await stack.IdAsync("api");
        var file = Path.Combine(stack.Folder, "samples/AgentApi/Endpoints/InfoEndpoints.cs");
        var source = await File.ReadAllTextAsync(file);

        await File.WriteAllTextAsync(file, source.Replace(Before, After, StringComparison.Ordinal));
        await Eventually.SeeAsync("the edited text is answered", async () => (await ComposeStack.JsonAsync(stack.Http, "/")).At("message").Text(), static m => m == After, 300);

        Assert.Equal(container, await stack.IdAsync("api"));
        Assert.DoesNotContain(Directory.GetDirectories(Path.Combine(stack.Folder, "samples/AgentApi")), static d => Path.GetFileName(d) is "bin" or "obj");
        Assert.False(Directory.Exists(Path.Combine(stack.Folder, "artifacts")), "The container built into the host's folder.");
        await File.WriteAllTextAsync(file, source);
        await Eventually.SeeAsync("the old text is answered again", async () => (await ComposeStack.JsonAsync(stack.Http, "/")).At("message").Text(), static m => m == Before, 300);
    }

    [Fact]
    public async Task D5_TheLifeCycleBehaves()
    {
        var stack = await stacks.DevelopmentAsync();
        // Some versions of Compose clear the line before they write it, whatever they were told of colours.
        var prefixes = (await stack.ComposeAsync("logs", "--no-color", "--tail", "3")).Lines.Select(static l => l.Split('|')[0].Replace("\u001b[2K", "", StringComparison.Ordinal).Trim()).ToHashSet();
        foreach (var service in new[] { "redis", "db", "ratelimiter", "api", "prometheus" })
            Assert.Contains(prefixes, p => p.StartsWith(service, StringComparison.Ordinal));

        await stack.ComposeAsync("stop", "ratelimiter-3");
        Assert.DoesNotContain("ratelimiter-3", (await stack.ComposeAsync("ps", "--services")).Output);
        // A clean stop, so the signal reached the process.
        Assert.Equal(0, (await ComposeStack.InspectAsync(await stack.IdAsync("ratelimiter-3", all: true))).At("State", "ExitCode").GetInt32());
        await stack.ComposeAsync("start", "ratelimiter-3");
        Assert.Contains("ratelimiter-3", (await stack.ComposeAsync("ps", "--services")).Output);
        var since = (await ComposeStack.InspectAsync(await stack.IdAsync("ratelimiter-2"))).At("State", "StartedAt").Text();
        await stack.ComposeAsync("restart", "ratelimiter-2");
        Assert.NotEqual(since, (await ComposeStack.InspectAsync(await stack.IdAsync("ratelimiter-2"))).At("State", "StartedAt").Text());
        foreach (var node in new[] { "ratelimiter-2", "ratelimiter-3" })
            await Eventually.BeAsync($"{node} is healthy", async () => (await ComposeStack.InspectAsync(await stack.IdAsync(node))).At("State", "Health", "Status").Text() == "healthy");
    }

    private static async Task<string> KeyAsync(ComposeStack stack) =>
        (await File.ReadAllLinesAsync(Path.Combine(stack.Folder, "deploy/development/secrets/api_keys")))[0].Split(':', 2)[1].Trim();
}
