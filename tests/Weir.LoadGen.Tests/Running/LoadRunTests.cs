using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Weir.LoadGen.Running;

namespace Weir.LoadGen.Tests.Running;

[Collection(RealTimeCollection.Name)]
public sealed class LoadRunTests
{
    [Fact]
    public async Task Run_CountsWhatTheServerSaw_AndReportsIt()
    {
        await using var server = await WebServer.StartAsync(static context =>
        {
            context.Response.StatusCode = context.Request.Path == "/rate-limit/a" ? 429 : 200;
            context.Response.Headers["X-Served-By"] = "node-7";
            return Task.CompletedTask;
        });
        using var load = await Load.RunAsync($"--targets {server.Url} --rps 200 --duration 1 --keys fixed:a --when-full wait --html {{0}}/page.html --csv {{0}}/seconds.csv");

        Assert.Equal((LoadProgram.Success, ""), (load.ExitCode, load.Errors));
        Assert.Equal((200, 200), (server.Requests, load.Number("requests.sent")));
        Assert.Equal((0, 200, 0), (load.Number("requests.allowed"), load.Number("requests.limited"), load.Number("requests.failed")));
        Assert.Equal(200, load.Number("latency_ms.response.count"));
        Assert.Equal("node-7", load.Report.GetProperty("served_by")[0].GetProperty("name").GetString());
        Assert.Matches("limited +200 +100.0 %\n", load.Output);
        Assert.StartsWith("<!doctype html>", await File.ReadAllTextAsync(load.PathOf("page.html")));
        Assert.StartsWith("start_s,end_s,phase,asked,sent", await File.ReadAllTextAsync(load.PathOf("seconds.csv")));
    }

    [Fact]
    public async Task Run_GoesRoundTheTargets_AndNeverExceedsItsPlaces()
    {
        await using var first = await WebServer.StartAsync(static _ => Task.Delay(20));
        await using var second = await WebServer.StartAsync(static _ => Task.Delay(20));
        await using var third = await WebServer.StartAsync(static _ => Task.Delay(20));
        using var load = await Load.RunAsync($"--targets {first.Url},{second.Url},{third.Url} --rps 1000 --duration 1 --max-in-flight 7");

        long[] counts = [first.Requests, second.Requests, third.Requests];
        // Those that were skipped leave their places empty, so that counts may differ by more than one then.
        Assert.True(load.Number("requests.skipped") > 0);
        Assert.Equal(1_000, load.Number("requests.sent") + load.Number("requests.skipped"));
        Assert.Equal(load.Number("requests.sent"), counts.Sum());
        Assert.True(first.MostUnderWay + second.MostUnderWay + third.MostUnderWay <= 21 && first.MostUnderWay <= 7);
    }

    [Fact]
    public async Task Run_OnServersThatKeepUp_SpreadsRequestsToTheLastOne()
    {
        await using var first = await WebServer.StartAsync();
        await using var second = await WebServer.StartAsync();
        await using var third = await WebServer.StartAsync();
        using var load = await Load.RunAsync($"--targets {first.Url},{second.Url},{third.Url} --rps 500 --duration 1 --when-full wait");

        Assert.Equal([167L, 167, 166], [first.Requests, second.Requests, third.Requests]);
    }

    [Fact]
    public async Task Run_ClosedLoop_KeepsAllPlacesBusy()
    {
        await using var server = await WebServer.StartAsync(static _ => Task.Delay(50));
        using var load = await Load.RunAsync($"--targets {server.Url} --loop closed --duration 1 --max-in-flight 10");

        Assert.Equal(10, server.MostUnderWay);
        Assert.Equal(server.Requests, load.Number("requests.sent"));
        // Ten that each take 50 ms are 200 a second at most; a busy machine is slower.
        Assert.InRange(load.Number("requests.sent"), 10, 210 * load.Number("seconds"));
    }

    [Fact]
    public async Task Run_SendsMethodPathHeadersAndBody()
    {
        var seen = new List<string>();
        await using var server = await WebServer.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            var body = await reader.ReadToEndAsync();
            lock (seen)
                seen.Add($"{context.Request.Method} {context.Request.Path}{context.Request.QueryString} {context.Request.Headers["X-User"]} {context.Request.ContentType} {context.Request.Headers.UserAgent} {body}");
        });
        using var load = new Load();
        await load.StartAsync($"--targets {server.Url}/base --rps 10 --duration 0.2 --when-full wait --keys fixed:a/ü --method post --path /x/{{key}}?n={{seq}} --header X-User: {{key}} --body {{\"n\":{{seq}},\"k\":\"{{key}}\"}}");

        Assert.Equal(0, load.ExitCode);
        Assert.Equal(
            ["POST /base/x/a%2F%C3%BC?n=0 a/ü  weir-load {\"n\":0,\"k\":\"a/ü\"}", "POST /base/x/a%2F%C3%BC?n=1 a/ü  weir-load {\"n\":1,\"k\":\"a/ü\"}"], seen.Order());
    }

    [Fact]
    public async Task Run_WithThresholdsThatAreMissed_ExitsWith1AndSaysWhich()
    {
        await using var server = await WebServer.StartAsync(static async context =>
        {
            await Task.Delay(30);
            context.Response.StatusCode = Random.Shared.Next(2) == 0 ? 500 : 200;
        });
        using var load = await Load.RunAsync($"--targets {server.Url} --rps 100 --duration 1 --max-p99 10ms --max-failure-rate 1% --min-rate 90%");

        Assert.Equal(LoadProgram.Missed, load.ExitCode);
        Assert.Contains("MISSED  max-p99: at most 10.0 ms, reached ", load.Output);
        Assert.Contains("MISSED  max-failure-rate: at most 1 %, reached ", load.Output);
        Assert.Matches("MISSED  min-rate: at least [0-9.]+/s, reached [0-9.]+/s\n", load.Output);
        Assert.Equal(load.Number("requests.failed"), load.Failures("status 500"));
        Assert.All(load.Report.GetProperty("thresholds").EnumerateArray(), static t => Assert.False(t.GetProperty("held").GetBoolean()));
    }

    [Fact]
    public async Task Run_WithThresholdsThatHold_ExitsWith0()
    {
        await using var server = await WebServer.StartAsync();
        using var load = await Load.RunAsync($"--targets {server.Url} --rps 50 --duration 1 --max-p99 1h --max-failure-rate 0 --min-rate 0.5 --when-full wait");

        Assert.Equal(LoadProgram.Success, load.ExitCode);
        Assert.Contains("held    max-p99", load.Output);
    }

    [Fact]
    public async Task Run_OfALimiterThatKeepsItsPromise_SaysSo()
    {
        using var limiter = new LimiterServer(20, TimeSpan.FromSeconds(1));
        await using var server = await WebServer.StartAsync(limiter.AnswerAsync);
        using var load = await Load.RunAsync($"--targets {server.Url},{server.Url} --rps 300 --duration 3 --keys 3 --expect 20/1s");

        Assert.Equal((LoadProgram.Success, ""), (load.ExitCode, load.Errors));
        Assert.Contains("promise kept: 20 per 1s, sliding-window", load.Output);
        Assert.True(load.Number("requests.limited") > 100);
        Assert.True(load.Report.GetProperty("proof").GetProperty("kept").GetBoolean());
    }

    [Fact]
    public async Task Run_OfALimiterThatAdmitsOneTooMany_FindsIt()
    {
        using var limiter = new LimiterServer(21, TimeSpan.FromSeconds(1));
        await using var server = await WebServer.StartAsync(limiter.AnswerAsync);
        using var load = await Load.RunAsync($"--targets {server.Url} --rps 300 --duration 3 --keys 3 --expect 20/1s");

        Assert.Equal(LoadProgram.Missed, load.ExitCode);
        Assert.Contains("PROMISE BROKEN: 20 per 1s, sliding-window", load.Output);
        Assert.Contains("21 admitted within ", load.Output);
        var faults = load.Report.GetProperty("proof").GetProperty("faults").EnumerateArray().Select(static f => f.GetProperty("name").GetString()).ToList();
        Assert.Equal(["admitted too much", "X-RateLimit-Limit was wrong"], faults);
    }

    [Fact]
    public async Task Run_WhereOneOfTwoNodesCountsForItself_FindsItAndNamesBoth()
    {
        using var shared = new LimiterServer(20, TimeSpan.FromMinutes(5));
        using var alone = new LimiterServer(20, TimeSpan.FromMinutes(5));
        await using var first = await WebServer.StartAsync(shared.AnswerAsync);
        await using var second = await WebServer.StartAsync(alone.AnswerAsync);
        using var load = await Load.RunAsync($"--targets {first.Url},{second.Url} --rps 300 --duration 2 --keys 2 --expect 20/5m --when-full wait");

        Assert.Equal(LoadProgram.Missed, load.ExitCode);
        var finding = load.Report.GetProperty("proof").GetProperty("findings")[0];
        Assert.Equal([first.Url, second.Url], finding.GetProperty("by_target").EnumerateArray().Select(static t => t.GetProperty("name").GetString()));
        Assert.Equal(20, finding.GetProperty("excess").GetInt32());
        Assert.Contains($"{NameOf(first)} and {NameOf(second)} count each for itself", load.Output);
    }

    // Nothing here depends on time: the window is longer than any run, and every request leaves.
    [Fact]
    public async Task Run_WhereOneOfThreeNodesCountsForItself_NamesIt()
    {
        using var shared = new LimiterServer(20, TimeSpan.FromMinutes(5));
        using var alone = new LimiterServer(20, TimeSpan.FromMinutes(5));
        await using var first = await WebServer.StartAsync(shared.AnswerAsync);
        await using var second = await WebServer.StartAsync(alone.AnswerAsync);
        await using var third = await WebServer.StartAsync(shared.AnswerAsync);
        using var load = await Load.RunAsync($"--targets {first.Url},{second.Url},{third.Url} --rps 300 --duration 2 --keys 2 --expect 20/5m --when-full wait --html {{0}}/page.html");

        Assert.Equal(LoadProgram.Missed, load.ExitCode);
        var verdict = $"{NameOf(second)} counts for itself: alone it keeps the promise, and so do {NameOf(first)} and {NameOf(third)} without it.";
        Assert.Contains($"  PROMISE BROKEN: 20 per 5m, sliding-window\n    {verdict}\n", load.Output);
        Assert.Contains(verdict, await File.ReadAllTextAsync(load.PathOf("page.html")));
        Assert.Equal([[first.Url, third.Url], [second.Url]],
            load.Report.GetProperty("proof").GetProperty("counting_apart").EnumerateArray().Select(static s => s.EnumerateArray().Select(static t => t.GetString()!).ToArray()));
        Assert.Contains($"{NameOf(second)}: 20", load.Output);
    }

    [Fact]
    public async Task Run_WhereAllNodesAdmitOneTooMany_NamesNone()
    {
        using var limiter = new LimiterServer(21, TimeSpan.FromMinutes(5));
        await using var first = await WebServer.StartAsync(limiter.AnswerAsync);
        await using var second = await WebServer.StartAsync(limiter.AnswerAsync);
        using var load = await Load.RunAsync($"--targets {first.Url},{second.Url} --rps 200 --duration 1 --keys 2 --expect 20/5m --when-full wait");

        Assert.Equal(LoadProgram.Missed, load.ExitCode);
        Assert.DoesNotContain("for itself", load.Output);
        Assert.Equal(0, load.Report.GetProperty("proof").GetProperty("counting_apart").GetArrayLength());
    }

    private static string NameOf(WebServer server) => server.Url["http://".Length..];

    [Fact]
    public async Task Run_WithRulesOfANode_AsksItForThem()
    {
        using var limiter = new LimiterServer(7, TimeSpan.FromSeconds(1));
        await using var server = await WebServer.StartAsync(context => context.Request.Path == "/api/limits"
            ? context.Response.WriteAsync("""
                {"default":{"domain":"default","name":"default","path":"","algorithm":"sliding-window","limit":7,"window_ms":1000,"burst":7,"failure":"closed","shadow":false,"quota":false,"unlimited":false},"rules":[],"overrides":[]}
                """)
            : limiter.AnswerAsync(context));
        using var load = await Load.RunAsync($"--targets {server.Url} --rps 100 --duration 1 --keys 2 --expect rules");

        Assert.Equal((LoadProgram.Success, ""), (load.ExitCode, load.Errors));
        Assert.Contains("promise kept: 7 per 1s, sliding-window", load.Output);
    }

    [Theory]
    [InlineData(404, "", "does not show its rules: status 404. Name the promise instead")]
    [InlineData(401, "", "does not show its rules: status 401. Give --header 'Authorization: Bearer TOKEN'")]
    [InlineData(200, "hello", "does not answer as a Weir node does")]
    [InlineData(200, "[]", "does not answer as a Weir node does")]
    [InlineData(200, """{"default":{"algorithm":"concurrency","limit":7,"window_ms":1000,"burst":7,"shadow":false,"unlimited":false},"rules":[],"overrides":[]}""", "cannot be proved from outside")]
    [InlineData(200, """{"default":{"algorithm":"token-bucket","limit":7,"window_ms":1000,"burst":7,"shadow":true,"unlimited":false},"rules":[],"overrides":[]}""", "limits nothing")]
    [InlineData(200, """{"default":{"algorithm":"token-bucket","limit":7,"window_ms":1000,"burst":7,"shadow":false,"unlimited":false},"rules":[{"domain":"default"}],"overrides":[]}""", "may apply to keys")]
    public async Task Run_WithRulesThatCannotBeHad_SaysSoAndSendsNothing(int status, string body, string problem)
    {
        var requests = 0;
        await using var server = await WebServer.StartAsync(context =>
        {
            requests += context.Request.Path == "/api/limits" ? 0 : 1;
            context.Response.StatusCode = status;
            return context.Response.WriteAsync(body);
        });
        using var load = await Load.RunAsync($"--targets {server.Url} --expect rules");

        Assert.Equal((LoadProgram.NotStarted, 0), (load.ExitCode, requests));
        Assert.Contains(problem, load.Errors);
        Assert.Equal(JsonValueKind.Undefined, load.Report.ValueKind);
    }
}
