using System.Globalization;
using System.Text;
using System.Text.Json;
using Weir.TestKit.Nodes;
using Weir.TestKit.Redis;

namespace Weir.EndToEnd.Tests.Fleets;

/// <summary>A <c>weir serve</c> process, and what tests ask of it besides decisions under load.</summary>
internal sealed class FleetNode(string id, WeirProcess process, string url) : IAsyncDisposable
{
    private static readonly HttpClient Client = new();

    public string Id => id;

    public WeirProcess Process => process;

    public string Url => url;

    public int Port { get; } = new Uri(url).Port;

    public async Task<Reply> SendAsync(HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, url + path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await Client.SendAsync(request);
        return new Reply((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers.ToDictionary(
            static h => h.Key, static h => string.Join(',', h.Value), StringComparer.OrdinalIgnoreCase));
    }

    public Task<Reply> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<Reply> CheckAsync(string body) => SendAsync(HttpMethod.Post, "/check", body);

    /// <summary>Why the node is not ready; null when it is.</summary>
    public async Task<string?> NotReadyAsync()
    {
        var reply = await GetAsync("/health/ready");
        return reply.Status == 200 ? null : reply.Json.GetProperty("reason").GetString();
    }

    public Task IsReadyAsync() => Eventually.IsTrueAsync(async () => await NotReadyAsync() is null, $"{id} is ready", Fleet.Patience);

    /// <summary>The nodes that this one knows, by id, each with its state.</summary>
    public async Task<Dictionary<string, string>> NodesAsync() => (await GetAsync("/api/nodes")).Json.GetProperty("nodes").EnumerateArray()
        .ToDictionary(static n => n.GetProperty("id").GetString()!, static n => n.GetProperty("state").GetString()!);

    /// <summary>The sum of all samples of a metric whose labels contain a text.</summary>
    public async Task<double> MetricAsync(string name, string labels = "") => (await GetAsync("/metrics")).Text.Split('\n')
        .Where(l => l.StartsWith(name, StringComparison.Ordinal) && l[name.Length] is ' ' or '{' && l.Contains(labels, StringComparison.Ordinal))
        .Sum(static l => double.Parse(l.AsSpan(l.LastIndexOf(' ') + 1), CultureInfo.InvariantCulture));

    /// <summary>What is left of a counter, looked up in Redis.</summary>
    public async Task<long> RemainingAsync(string key)
    {
        var look = await GetAsync($"/rate-limit/{key}?cost=0");
        Assert.Equal((200, "exact"), (look.Status, look.Json.GetProperty("source").GetString()));
        return look.Json.GetProperty("remaining").GetInt64();
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();

    public override string ToString() => id;
}

/// <summary>An answer with all there is to it.</summary>
internal sealed record Reply(int Status, string Text, IReadOnlyDictionary<string, string> Headers)
{
    public JsonElement Json => JsonDocument.Parse(Text).RootElement;
}
