using System.Text;
using Weir.Server.Configuration;
using Weir.Server.Hosting;

namespace Weir.AspNetCore.Tests.Running;

/// <summary>A whole node in this process, on a port of its own and on the time of the machine.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private readonly HttpClient _http;
    private readonly DirectoryInfo? _folder;
    private int _isDisposed;

    private TestNode(Node node, DirectoryInfo? folder) =>
        (Node, _folder, _http) = (node, folder, new HttpClient { BaseAddress = node.Address, Timeout = TimeSpan.FromSeconds(30) });

    public Node Node { get; }

    public string Address => Node.Address.ToString();

    public int Port => Node.Address.Port;

    /// <param name="rules">Its rules; null for none.</param>
    /// <param name="settings">Settings without their prefix, such as <c>DEFAULT_LIMIT</c>.</param>
    public static async Task<TestNode> StartAsync(string? rules = null, params (string Name, string Value)[] settings)
    {
        var folder = rules is null ? null : Directory.CreateTempSubdirectory("weir-node-");
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["RATELIMITER_NODE_PORT"] = "0",
            ["RATELIMITER_LISTEN_ADDRESS"] = "127.0.0.1",
            ["RATELIMITER_LOG_LEVEL"] = "error",
            ["RATELIMITER_DRAIN_MS"] = "0",
        };
        if (folder is not null)
        {
            variables["RATELIMITER_RULES"] = Path.Combine(folder.FullName, "rules.yaml");
            await File.WriteAllTextAsync(variables["RATELIMITER_RULES"], rules);
        }
        foreach (var (name, value) in settings)
            variables["RATELIMITER_" + name] = value;
        return new TestNode(await Node.StartAsync(NodeConfig.Create(NodeOptions.From(variables)), null, CancellationToken.None), folder);
    }

    public async Task<HttpResponseMessage> PostAsync(string path, string json) =>
        await _http.PostAsync(path, new StringContent(json, Encoding.UTF8, "application/json"));

    public Task<string> GetAsync(string path) => _http.GetStringAsync(path);

    /// <summary>How many permits of a limit with a key are used.</summary>
    public async Task<long> UsedAsync(Limit limit, string key)
    {
        await using var client = WeirClient.OverNodes(Patient(Address));
        var look = await client.CheckAsync(new LimitCharge(limit, key, 0));
        return limit.Rule!.Burst - look.Remaining;
    }

    /// <summary>Options for tests that are not about time: nobody is late on a busy machine.</summary>
    public static WeirNodesOptions Patient(params string[] addresses)
    {
        var options = new WeirNodesOptions { Timeout = TimeSpan.FromSeconds(30), ProbeInterval = TimeSpan.FromMilliseconds(100) };
        foreach (var address in addresses)
            options.Addresses.Add(address);
        return options;
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;
        _http.Dispose();
        await Node.DisposeAsync();
        _folder?.Delete(recursive: true);
    }
}
