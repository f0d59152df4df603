using System.Text;
using Weir.Server.Configuration;
using Weir.Server.Hosting;
using Weir.TestKit;

namespace Weir.Server.Tests.Http;

/// <summary>A whole node on a port of its own, with a client. Its time stands still until a test moves it.</summary>
internal sealed class RunningNode : IAsyncDisposable
{
    private readonly HttpClient _client;
    private readonly DirectoryInfo? _folder;

    private RunningNode(Node node, ManualTimeProvider time, DirectoryInfo? folder)
    {
        Node = node;
        Time = time;
        _folder = folder;
        _client = NewClient();
    }

    public Node Node { get; }

    public ManualTimeProvider Time { get; }

    /// <summary>The file of a node that was started with rules.</summary>
    public string RulesPath => Path.Combine(_folder!.FullName, "rules.yaml");

    /// <summary>Starts a node on fake time.</summary>
    /// <param name="settings">Settings without their prefix, such as <c>DEFAULT_LIMIT</c>.</param>
    public static Task<RunningNode> StartAsync(params (string Name, string Value)[] settings) => StartAsync(null, null, settings);

    /// <summary>Starts a node on fake time with a file of rules.</summary>
    public static Task<RunningNode> WithRulesAsync(string yaml, params (string Name, string Value)[] settings) => StartAsync(yaml, null, settings);

    /// <summary>Starts a node on the time of the machine.</summary>
    public static Task<RunningNode> OnRealTimeAsync(string? yaml, params (string Name, string Value)[] settings) =>
        StartAsync(yaml, TimeProvider.System, settings);

    /// <summary>The configuration of a node that listens on any free port.</summary>
    public static NodeConfig Config(params (string Name, string Value)[] settings)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["RATELIMITER_NODE_PORT"] = "0",
            ["RATELIMITER_LISTEN_ADDRESS"] = "127.0.0.1",
            ["RATELIMITER_NODE_ID"] = "test-node",
            ["RATELIMITER_LOG_LEVEL"] = "error",
        };
        foreach (var (name, value) in settings)
            variables["RATELIMITER_" + name] = value;
        return NodeConfig.Create(NodeOptions.From(variables));
    }

    /// <summary>A client with connections of its own.</summary>
    public HttpClient NewClient() => new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false })
    {
        BaseAddress = Node.Address,
        Timeout = TimeSpan.FromSeconds(30),
    };

    public Task<RawConnection> ConnectAsync() => RawConnection.OpenAsync(Node.Address);

    public Task<Reply> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<Reply> PostAsync(string path, string json) => SendAsync(HttpMethod.Post, path, json);

    /// <summary>Looks at a key without taking anything.</summary>
    public async Task<long> RemainingAsync(string key) => (await GetAsync($"/rate-limit/{Uri.EscapeDataString(key)}?cost=0")).Number("remaining");

    public async Task<Reply> SendAsync(HttpMethod method, string path, string? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) { Headers = { { "Content-Type", "application/json" } } };
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await Reply.OfAsync(await _client.SendAsync(request));
    }

    /// <summary>Sends bytes, also such as are no text.</summary>
    public async Task<Reply> PostAsync(string path, HttpContent content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        return await Reply.OfAsync(await _client.SendAsync(request));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Node.DisposeAsync();
        _folder?.Delete(recursive: true);
    }

    private static async Task<RunningNode> StartAsync(string? yaml, TimeProvider? time, (string Name, string Value)[] settings)
    {
        var manual = new ManualTimeProvider();
        var folder = yaml is null ? null : Directory.CreateTempSubdirectory("weir-node-");
        if (folder is not null)
        {
            var path = Path.Combine(folder.FullName, "rules.yaml");
            await File.WriteAllTextAsync(path, yaml);
            settings = [.. settings, ("RULES", path)];
        }
        return new RunningNode(await Node.StartAsync(Config(settings), time ?? manual, CancellationToken.None), manual, folder);
    }
}
