using System.Text;
using System.Text.Json;
using Weir.Server.Tests.Http;
using Weir.TestKit.Redis;

namespace Weir.Server.Tests.Pages;

/// <summary>Real answers are as described, and every answer that is described was seen, but for the few named here.</summary>
public sealed class OpenApiAnswersTests
{
    private const string Rules = """
        domain: default
        descriptors:
          - key: key
            value: "trial-*"
            rate_limit: { name: trial, limit: 1, window: 1m, shadow: true }
          - key: user
            rate_limit: { name: per-user, limit: 2, window: 1m, algorithm: token-bucket, burst: 3 }
          - key: path
            rate_limit: { name: per-path, limit: 1, window: 1m, shadow: true }
        """;

    private const string User = """{"domain":"default","descriptors":[{"entries":[{"key":"user","value":"u"}]},{"entries":[{"key":"other"}]}]""";

    // It takes a hundred thousand overrides.
    private static readonly string[] Unseen = ["PUT /api/limits/{key} 409"];

    // It takes a server, which is not everywhere.
    private static readonly string[] OverRedis =
    [
        "POST /commit 503", "POST /renew 503", "POST /refund 503", "GET /api/counters 503", "DELETE /api/counters 503", "DELETE /api/counters/{key} 503",
        "GET /api/blocks 503", "PUT /api/limits/{key} 503", "DELETE /api/limits/{key} 200", "DELETE /api/limits/{key} 503",
    ];

    [Fact]
    public async Task Answers_AreAsDescribed()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        await using (var node = await DescribedNode.StartAsync(seen, Rules, ("DEFAULT_LIMIT", "3")))
        {
            await CheckKeysAsync(node);
            await CheckDescriptorsAsync(node);
            await SettleAsync(node);
            await ManageAsync(node);
            await ManageRulesAsync(node);
            await SendBadInputAsync(node);
            await OperateAsync(node);
        }
        await FillAsync(seen);
        await AskWithoutTokenAsync(seen);
        await StopAsync(seen);
        await ShareAsync(seen);

        await using var last = await RunningNode.StartAsync();
        var document = await OpenApiDocument.OfAsync(last);
        var described = document.Operations.SelectMany(o => o.Operation.GetProperty("responses").EnumerateObject().Select(r => $"{o.Method} {o.Path} {r.Name}"));
        var unseen = Unseen.Concat(RedisServer.Unavailable is null ? [] : OverRedis);
        Assert.Equal(unseen.Order(StringComparer.Ordinal), described.Except(seen).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task ExampleRequests_AreUnderstood()
    {
        await using var node = await DescribedNode.StartAsync([], "domain: api\ndescriptors: [{ key: user, rate_limit: { limit: 30, window: 1m } }]");
        var document = await OpenApiDocument.OfAsync(node.Running);
        var sent = 0;
        foreach (var (method, path, operation) in document.Operations.Where(o => o.Operation.TryGetProperty("requestBody", out _)))
        {
            foreach (var example in ExamplesOf(operation))
            {
                // An example's reservation is nobody's.
                var status = path is "/commit" or "/renew" ? 404 : 200;
                await node.CallAsync(method, path, path.Replace("{key}", "alice"), example, status);
                sent++;
            }
        }
        Assert.True(sent > 12, $"Only {sent} examples were sent.");
    }

    private static IEnumerable<string> ExamplesOf(JsonElement operation)
    {
        foreach (var content in operation.GetProperty("requestBody").GetProperty("content").EnumerateObject())
        {
            if (content.Value.TryGetProperty("example", out var text))
                yield return text.GetString()!;
            if (content.Value.TryGetProperty("examples", out var many))
            {
                foreach (var example in many.EnumerateObject())
                    yield return example.Value.GetProperty("value").GetRawText();
            }
        }
    }

    private static async Task CheckKeysAsync(DescribedNode node)
    {
        await node.GetAsync(200, "/rate-limit/alice", "/rate-limit/{key}");
        await node.GetAsync(200, "/rate-limit/alice?cost=2", "/rate-limit/{key}");
        await node.GetAsync(429, "/rate-limit/alice", "/rate-limit/{key}");
        await node.GetAsync(429, "/rate-limit/alice?cost=9", "/rate-limit/{key}");
        await node.GetAsync(400, "/rate-limit/alice?cost=-1", "/rate-limit/{key}");
        await node.GetAsync(200, "/rate-limit/trial-1", "/rate-limit/{key}");
        await node.GetAsync(200, "/rate-limit/trial-1", "/rate-limit/{key}");
        await node.PostAsync(200, "/check", """{"key":"carol","limit":1,"window_ms":1000}""");
        await node.PostAsync(429, "/check", """{"key":"carol","limit":1,"window_ms":1000}""");
    }

    private static async Task CheckDescriptorsAsync(DescribedNode node)
    {
        await node.PostAsync(200, "/check", User + ""","cost":3}""");
        await node.PostAsync(429, "/check", User + "}");
        const string shadow = """{"descriptors":[{"entries":[{"key":"path","value":"/"}]}]}""";
        await node.PostAsync(200, "/check", shadow);
        Assert.Contains("would_refuse\":true", (await node.PostAsync(200, "/check", shadow)).Text);
        await node.PostAsync(200, "/check", $$"""{"checks":[{"key":"dave"},{"key":"alice"},{{User}}},{{shadow}}]}""");
    }

    private static async Task SettleAsync(DescribedNode node)
    {
        var reserved = await node.PostAsync(200, "/reserve", """{"key":"erin","cost":2}""");
        await node.PostAsync(429, "/reserve", """{"key":"erin","cost":2}""");
        await node.PostAsync(200, "/renew", $$"""{"reservation":"{{reserved.String("reservation")}}"}""");
        await node.PostAsync(200, "/commit", $$"""{"reservation":"{{reserved.String("reservation")}}","actual":1}""");
        await node.PostAsync(404, "/commit", $$"""{"reservation":"{{reserved.String("reservation")}}","actual":1}""");
        await node.PostAsync(404, "/renew", """{"reservation":"none"}""");
        await node.PostAsync(200, "/reserve", """{"descriptors":[{"entries":[{"key":"user","value":"r"}]}],"cost":1}""");
        var taken = await node.PostAsync(200, "/check", """{"key":"frank"}""");
        await node.PostAsync(200, "/refund", $$"""{"key":"frank","receipt":"{{taken.String("receipt")}}"}""");
    }

    private static async Task ManageAsync(DescribedNode node)
    {
        await node.GetAsync(200, "/api/nodes");
        var counters = await node.GetAsync(200, "/api/counters?limit=1", "/api/counters");
        Assert.NotEqual(0, counters.Json.GetProperty("counters").GetArrayLength());
        var blocks = await node.GetAsync(200, "/api/blocks");
        Assert.NotEqual(0, blocks.Json.GetProperty("blocks").GetArrayLength());
        var id = blocks.Json.GetProperty("blocks")[0].GetProperty("id").GetString();
        await node.CallAsync("DELETE", "/api/counters", $"/api/counters?id={id}", null, 200);
        await node.CallAsync("DELETE", "/api/counters", $"/api/counters?id={new string('0', 32)}", null, 404);
        await node.CallAsync("DELETE", "/api/counters/{key}", "/api/counters/dave", null, 200);
        await node.CallAsync("DELETE", "/api/counters/{key}", "/api/counters/nobody", null, 404);
        await node.CallAsync("PUT", "/api/limits/{key}", "/api/limits/alice", """{"limit":7,"window_ms":1000,"algorithm":"token-bucket","burst":9}""", 200);
        await node.GetAsync(200, "/api/limits");
        await node.CallAsync("DELETE", "/api/limits/{key}", "/api/limits/alice", null, 204);
        await node.CallAsync("DELETE", "/api/limits/{key}", "/api/limits/alice", null, 404);
    }

    private static async Task ManageRulesAsync(DescribedNode node)
    {
        await node.GetAsync(200, "/api/rules");
        await node.PostAsync(200, "/api/rules/validate", Rules);
        await node.PostAsync(200, "/api/rules/validate", "domain: d\ndescriptors: [{key: a, rate_limit: {limt: 3}}]");
        await node.PostAsync(200, "/api/explain", """{"key":"trial-1"}""");
        await node.PostAsync(200, "/api/explain", """{"domain":"nowhere","entries":[{"key":"user","value":"alice"}]}""");
        await node.CallAsync("PUT", "/api/rules", "/api/rules", Rules, 200);
        await node.CallAsync("PUT", "/api/rules", "/api/rules", "domain: [", 400);
    }

    private static async Task SendBadInputAsync(DescribedNode node)
    {
        var tooLarge = new string(' ', 1024 * 1024 + 1);
        foreach (var path in (string[])["/check", "/reserve", "/commit", "/renew", "/refund", "/api/explain"])
        {
            await node.PostAsync(400, path, "{");
            await node.PostAsync(413, path, tooLarge);
        }
        foreach (var (method, path) in (IEnumerable<(string, string)>)[("PUT", "/api/rules"), ("POST", "/api/rules/validate")])
            await node.CallAsync(method, path, path, tooLarge, 413);
        await node.CallAsync("PUT", "/api/limits/{key}", "/api/limits/alice", "{}", 400);
        await node.CallAsync("PUT", "/api/limits/{key}", "/api/limits/alice", tooLarge, 413);
        await node.CallAsync("DELETE", "/api/limits/{key}", "/api/limits/%ff", null, 400);
        await node.CallAsync("DELETE", "/api/counters/{key}", "/api/counters/%ff", null, 400);
        await node.CallAsync("DELETE", "/api/counters", "/api/counters?id=x", null, 400);
        await node.GetAsync(400, "/api/counters?limit=0", "/api/counters");
        await node.GetAsync(400, "/api/blocks?cursor=x", "/api/blocks");
        using var notUtf8 = new ByteArrayContent([0xff, 0xfe]);
        node.Check("POST", "/api/rules/validate", await node.Running.PostAsync("/api/rules/validate", notUtf8), 400);
    }

    private static async Task OperateAsync(DescribedNode node)
    {
        await node.GetAsync(200, "/health");
        await node.GetAsync(200, "/health/ready");
        await node.GetAsync(200, "/metrics");
        foreach (var (path, template) in (IEnumerable<(string, string)>)[("/", "/"), ("/openapi.json", "/openapi.json"), ("/dashboard/main.js", "/dashboard/{file}")])
        {
            var tag = (await node.GetAsync(200, path, template)).Header("ETag")!;
            await node.CallAsync("GET", template, path, null, 304, ("If-None-Match", tag));
        }
        await node.GetAsync(200, "/dashboard/dashboard.css", "/dashboard/{file}");
        await node.GetAsync(200, "/dashboard/icon.svg", "/dashboard/{file}");
        await node.GetAsync(404, "/dashboard/nothing", "/dashboard/{file}");
    }

    // At its bound the node refuses newcomers by policy.
    private static async Task FillAsync(HashSet<string> seen)
    {
        await using var node = await DescribedNode.StartAsync(seen, Rules, ("MAX_COUNTERS", "1000"));
        var checks = new StringBuilder();
        for (var i = 0; i < 1000; i++)
            checks.Append(i == 0 ? "" : ",").Append($$"""{"key":"{{i}}"}""");
        await node.PostAsync(200, "/check", $$"""{"checks":[{{checks}}]}""");
        await node.GetAsync(503, "/rate-limit/newcomer", "/rate-limit/{key}");
        await node.PostAsync(503, "/check", """{"key":"newcomer"}""");
        await node.PostAsync(503, "/check", User + "}");
        await node.PostAsync(503, "/reserve", """{"key":"newcomer","cost":1}""");
        await node.PostAsync(200, "/check", """{"checks":[{"key":"newcomer"}]}""");
    }

    private static async Task AskWithoutTokenAsync(HashSet<string> seen)
    {
        await using var node = await DescribedNode.StartAsync(seen, null, ("ADMIN_TOKEN", "secret"));
        var document = await OpenApiDocument.OfAsync(node.Running);
        foreach (var (method, path, _) in document.Operations.Where(o => o.Path.StartsWith("/api/")))
        {
            var reply = await node.CallAsync(method, path, path.Replace("{key}", "alice"), null, 401);
            Assert.NotNull(reply.Header("WWW-Authenticate"));
        }
        await node.CallAsync("GET", "/api/nodes", "/api/nodes", null, 200, ("Authorization", "Bearer secret"));
    }

    private static async Task StopAsync(HashSet<string> seen)
    {
        await using var node = await DescribedNode.StartAsync(seen, null, ("DRAIN_MS", "1000"));
        var stopping = node.Running.Node.StopAsync(CancellationToken.None);
        await node.GetAsync(503, "/health/ready");
        node.Running.Time.Advance(TimeSpan.FromSeconds(1));
        await stopping;
    }

    private static async Task ShareAsync(HashSet<string> seen)
    {
        if (RedisServer.Unavailable is not null)
            return;
        await using var server = await RedisServer.StartAsync();
        await using var node = await DescribedNode.OverRedisAsync(seen, $"redis://127.0.0.1:{server.Port}");
        await node.GetAsync(200, "/health/ready");
        await node.GetAsync(200, "/api/nodes");
        await node.CallAsync("PUT", "/api/limits/{key}", "/api/limits/alice", """{"limit":7}""", 200);
        await node.CallAsync("DELETE", "/api/limits/{key}", "/api/limits/alice", null, 200);
        var reserved = await node.PostAsync(200, "/reserve", """{"key":"erin","cost":1}""");
        await node.PostAsync(429, "/reserve", """{"key":"erin","cost":1}""");
        await node.GetAsync(200, "/api/counters");
        await node.GetAsync(200, "/api/blocks");
        await server.KillAsync();
        await Eventually.IsTrueAsync(async () => (await node.Running.GetAsync("/rate-limit/x")).Status == 503, "the node has noticed");
        await AskWithoutRedisAsync(node, reserved.String("reservation")!);
    }

    private static async Task AskWithoutRedisAsync(DescribedNode node, string reservation)
    {
        await node.GetAsync(503, "/rate-limit/alice", "/rate-limit/{key}");
        await node.PostAsync(503, "/check", """{"key":"alice"}""");
        await node.PostAsync(503, "/reserve", """{"key":"alice","cost":1}""");
        await node.PostAsync(503, "/commit", $$"""{"reservation":"{{reservation}}","actual":1}""");
        await node.PostAsync(503, "/renew", $$"""{"reservation":"{{reservation}}"}""");
        await node.PostAsync(503, "/refund", """{"key":"alice"}""");
        await node.GetAsync(200, "/api/nodes");
        await node.GetAsync(503, "/api/counters");
        await node.GetAsync(503, "/api/blocks");
        await node.CallAsync("DELETE", "/api/counters", $"/api/counters?id={new string('0', 32)}", null, 503);
        await node.CallAsync("DELETE", "/api/counters/{key}", "/api/counters/alice", null, 503);
        await node.CallAsync("PUT", "/api/limits/{key}", "/api/limits/alice", """{"limit":7}""", 503);
        await node.CallAsync("DELETE", "/api/limits/{key}", "/api/limits/alice", null, 503);
        await Eventually.IsTrueAsync(async () => (await node.Running.GetAsync("/health/ready")).Status == 503, "it is not ready");
        await node.GetAsync(503, "/health/ready");
        await node.GetAsync(200, "/metrics");
    }
}
