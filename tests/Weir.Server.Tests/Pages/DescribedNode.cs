using System.Text.Json;
using Weir.Server.Tests.Http;

namespace Weir.Server.Tests.Pages;

/// <summary>A node whose every answer is compared with its own description: status, content type, headers and fields.</summary>
internal sealed class DescribedNode(RunningNode node, OpenApiDocument document, HashSet<string> seen) : IAsyncDisposable
{
    // What the server adds to every answer by itself.
    private static readonly string[] Everywhere =
        ["Content-Length", "Content-Type", "Date", "Transfer-Encoding", "Connection", "Cache-Control", "X-Content-Type-Options", "Referrer-Policy", "Allow"];

    private readonly SchemaCheck _check = new(document);

    public RunningNode Running => node;

    /// <summary>Starts a node and notes the answers that are seen, as <c>GET /health 200</c>.</summary>
    public static async Task<DescribedNode> StartAsync(HashSet<string> seen, string? yaml = null, params (string Name, string Value)[] settings)
    {
        var node = yaml is null ? await RunningNode.StartAsync(settings) : await RunningNode.WithRulesAsync(yaml, settings);
        return new DescribedNode(node, await OpenApiDocument.OfAsync(node), seen);
    }

    /// <summary>Starts a node that shares counters.</summary>
    public static async Task<DescribedNode> OverRedisAsync(HashSet<string> seen, string url)
    {
        var node = await RunningNode.OnRealTimeAsync(null, ("REDIS_URL", url), ("DECISION_TIMEOUT_MS", "2000"), ("DEFAULT_LIMIT", "1"));
        return new DescribedNode(node, await OpenApiDocument.OfAsync(node), seen);
    }

    public Task<Reply> GetAsync(int status, string path, string? template = null) => CallAsync("GET", template ?? path, path, null, status);

    public Task<Reply> PostAsync(int status, string path, string body) => CallAsync("POST", path, path, body, status);

    /// <summary>Calls an operation and checks its answer.</summary>
    /// <param name="method">The method of the operation.</param>
    /// <param name="template">The path of the operation, such as <c>/rate-limit/{key}</c>.</param>
    /// <param name="path">The path to call.</param>
    /// <param name="body">The body to send, or null.</param>
    /// <param name="status">The status that must come.</param>
    /// <param name="headers">Headers to send.</param>
    public async Task<Reply> CallAsync(string method, string template, string path, string? body, int status, params (string Name, string Value)[] headers)
    {
        var reply = await node.SendAsync(new HttpMethod(method), path, body, headers);
        Check(method, template, reply, status);
        return reply;
    }

    /// <summary>Checks an answer that came another way.</summary>
    public void Check(string method, string template, Reply reply, int status)
    {
        Assert.True(reply.Status == status, $"{method} {template}: {reply}");
        var response = document.Response(document.Operation(method, template), status);
        Assert.True(response is not null, $"{method} {template} is not described to answer {status}.");
        CheckHeaders(reply, response.Value);
        CheckContent(reply, response.Value, $"{method} {template}");
        seen.Add($"{method} {template} {status}");
    }

    public ValueTask DisposeAsync() => node.DisposeAsync();

    private static void CheckHeaders(Reply reply, JsonElement response)
    {
        var described = response.TryGetProperty("headers", out var headers) ? headers.EnumerateObject().Select(h => h.Name) : [];
        Assert.Empty(reply.HeaderNames.Except(described, StringComparer.OrdinalIgnoreCase).Except(Everywhere, StringComparer.OrdinalIgnoreCase));
    }

    private void CheckContent(Reply reply, JsonElement response, string call)
    {
        if (!response.TryGetProperty("content", out var content))
        {
            Assert.Empty(reply.Body);
            return;
        }
        var type = reply.Header("Content-Type")!.Split(';')[0];
        Assert.True(content.TryGetProperty(type, out var described), $"{call} answered {type}, which is not described.");
        if (type.EndsWith("json") && described.TryGetProperty("schema", out var schema))
            Assert.True(_check.Problems(schema, reply.Json) is [], $"{call}: {string.Join("; ", _check.Problems(schema, reply.Json))}. The answer was {reply}");
    }
}
