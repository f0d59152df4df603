using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Weir.TestKit.Nodes;
using Weir.TestKit.Redis;

namespace Weir.Cli.Tests;

/// <summary>Processes that decide as one.</summary>
public sealed class SharedNodesTests
{
    [Fact]
    public async Task Nodes_FindEachOther_ShareLimits_AndAreGoneWhenTheyDie()
    {
        Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
        await using var server = await RedisServer.StartAsync();
        using var client = new HttpClient();
        var (one, first) = await ServeAsync(server, "node-1");
        await using var _ = one;
        var (two, second) = await ServeAsync(server, "node-2");
        await using var __ = two;
        var (three, third) = await ServeAsync(server, "node-3");
        await using var ___ = three;
        await NodesAreAsync(client, first, "node-1 node-2 node-3");

        var set = await client.PutAsync(new Uri($"{second}/api/limits/alice"), new StringContent("""{"limit":4}""", Encoding.UTF8, "application/json"));
        Assert.Contains("\"nodes\":3,\"applied\":3}", await set.Content.ReadAsStringAsync());
        var statuses = await Task.WhenAll(new[] { first, second, third }.SelectMany(url => Enumerable.Range(0, 10).Select(async _ =>
            (int)(await client.GetAsync(new Uri($"{url}/rate-limit/alice"))).StatusCode)));
        Assert.Equal(4, statuses.Count(static s => s == 200));
        await client.DeleteAsync(new Uri($"{third}/api/counters/alice"));
        Assert.Equal(200, (int)(await client.GetAsync(new Uri($"{first}/rate-limit/alice"))).StatusCode);

        three.End();
        two.Terminate();
        Assert.Equal((0, ""), (await two.ExitAsync(), two.Errors));
        await NodesAreAsync(client, first, "node-1");
    }

    [Fact]
    public async Task Serve_WithAWrongPassword_SaysSoInOneLine()
    {
        Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
        await using var server = await RedisServer.StartAsync("--requirepass", "s3cret");

        var (exitCode, output, errors) = await WeirProcess.RunAsync("serve", "--node-port", "0", "--redis-url", $"redis://:wr0ng@127.0.0.1:{server.Port}");

        Assert.Equal(1, exitCode);
        Assert.Matches($"^weir: RATELIMITER_REDIS_URL: 127\\.0\\.0\\.1:{server.Port}: User or password is wrong.*\n$", errors);
        Assert.DoesNotContain("   at ", output);
        Assert.DoesNotContain("wr0ng", output + errors);
    }

    // Whoever asks only whether the process lives must not restart it for Redis' sake.
    [Fact]
    public async Task Serve_WithoutRedis_RunsAndSaysThatItIsNotReady()
    {
        var (node, url) = await WeirProcess.ServeAsync("--redis-url", $"redis://127.0.0.1:{RedisServer.FreePort()}");
        await using (node)
        {
            var alive = await WeirProcess.RunAsync("health", "--url", url);
            var ready = await WeirProcess.RunAsync("health", "--ready", "--url", url);

            Assert.Equal((0, 1), (alive.ExitCode, ready.ExitCode));
            Assert.Contains("Nothing listens there.", ready.Output);
            Assert.Contains("starting without Redis, and not ready until it comes: 127.0.0.1:", node.Output);
            node.Terminate();
            Assert.Equal((0, ""), (await node.ExitAsync(), node.Errors));
        }
    }

    // A node has one thread less for its sockets than the machine has processors; requests that are there before the one before is answered could keep it for good.
    [Fact]
    public async Task ConnectionsThatSendWithoutPause_LeaveTheNodeToOthers()
    {
        Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
        await using var server = await RedisServer.StartAsync();
        var (node, url) = await ServeAsync(server, "node-1");
        await using var _ = node;
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(20) };
        using var stop = new CancellationTokenSource();
        var begun = Enumerable.Range(0, Environment.ProcessorCount).Select(static _ => new TaskCompletionSource()).ToArray();
        var floods = begun.Select(b => FloodAsync(new Uri(url), b, stop.Token)).ToArray();
        await Task.WhenAll(begun.Select(static b => b.Task)).WaitAsync(client.Timeout);

        for (var i = 0; i < 20; i++)
        {
            client.DefaultRequestHeaders.ConnectionClose = i % 2 == 0;
            using var answer = await client.GetAsync(new Uri($"{url}/rate-limit/alice"));
            Assert.Contains("\"source\":\"exact\"", await answer.Content.ReadAsStringAsync());
        }
        await stop.CancelAsync();
        Assert.All(await Task.WhenAll(floods), static answered => Assert.InRange(answered, 1_000, long.MaxValue));
    }

    // Bytes: by then two thousand answers have come, and the key is long spent.
    private const int Flowing = 1_000_000;

    // Refused from memory, so that nothing is waited for.
    private static async Task<long> FloodAsync(Uri node, TaskCompletionSource begun, CancellationToken stop)
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync(node.Host, node.Port, stop);
        var stream = connection.GetStream();
        var requests = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("GET /rate-limit/mallory HTTP/1.1\r\nHost: node\r\n\r\n", 1_000)));
        var (buffer, received) = (new byte[65_536], 0L);
        var sending = SendAsync();
        try
        {
            while (!stop.IsCancellationRequested)
            {
                received += await stream.ReadAsync(buffer, stop);
                if (received > Flowing)
                    begun.TrySetResult();
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
        await sending;
        return received / 500;

        async Task SendAsync()
        {
            await Task.Yield();
            try
            {
                while (!stop.IsCancellationRequested)
                    await stream.WriteAsync(requests, stop);
            }
            catch (OperationCanceledException)
            {
                // The test is over.
            }
        }
    }

    private static Task<(WeirProcess Node, string Url)> ServeAsync(RedisServer server, string id) => WeirProcess.ServeAsync(
        "--redis-url", $"redis://127.0.0.1:{server.Port}", "--node-id", id, "--node-ttl-ms", "1500", "--decision-timeout-ms", "2000");

    private static Task NodesAreAsync(HttpClient client, string url, string ids) => Eventually.IsTrueAsync(
        async () =>
        {
            using var list = JsonDocument.Parse(await client.GetStringAsync(new Uri($"{url}/api/nodes")));
            return string.Join(' ', list.RootElement.GetProperty("nodes").EnumerateArray().Select(static n => n.GetProperty("id").GetString())) == ids;
        },
        $"the nodes are {ids}");
}
