using System.Text.RegularExpressions;
using Weir.TestKit.Redis;

namespace AgentApi.Tests.Servers;

/// <summary>A real node of the cluster that limits, in a process of its own.</summary>
internal sealed partial class WeirNode : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);

    private readonly ChildProcess _process;

    private WeirNode(ChildProcess process) => _process = process;

    /// <summary>Host and port.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Starts a node and waits until it decides.</summary>
    /// <param name="redis">What it shares its counters through.</param>
    /// <param name="port">Where it listens; 0 for any port that is free.</param>
    public static async Task<WeirNode> StartAsync(RedisServer redis, int port = 0)
    {
        var variables = new Dictionary<string, string>
        {
            ["RATELIMITER_REDIS_URL"] = $"redis://127.0.0.1:{redis.Port}",
            ["RATELIMITER_LISTEN_ADDRESS"] = "127.0.0.1",
            ["RATELIMITER_NODE_PORT"] = $"{port}",
            ["RATELIMITER_NODE_ID"] = $"node-{Guid.NewGuid():n}",
            // Tests are about what is decided, on machines that are busy.
            ["RATELIMITER_DECISION_TIMEOUT_MS"] = "5000",
        };
        var node = new WeirNode(ChildProcess.Start(Path.Combine(AppContext.BaseDirectory, "weir"), ["serve"], variables));
        try
        {
            Match? match = null;
            await Eventually.IsTrueAsync(() => node._process.HasExited || (match = Decides().Match(node._process.Output)).Success, "the node decides", Patience);
            Assert.True(match is { Success: true }, $"The node ended. {node._process.Errors}");
            node.Address = match!.Groups["address"].Value;
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the node without asking it.</summary>
    public async Task KillAsync()
    {
        _process.End();
        await _process.ExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }

    [GeneratedRegex(@"decides on http://(?<address>127\.0\.0\.1:\d+)", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Decides();
}
