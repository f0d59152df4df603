using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using AgentApi.Tests.Servers;
using Weir.TestKit.Redis;

namespace AgentApi.Tests;

/// <summary>Stopping cuts off nobody.</summary>
public sealed class StopTests(Stores stores)
{
    private const int Clients = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // A balancer asks for the health, and stops sending when it is not well any more; until it knows, it goes on.
    [Fact]
    public async Task Sigterm_UnderTraffic_CutsNoRequest()
    {
        Stores.SkipWithoutServers();
        await using var agent = await Agent.StartAsync(stores, ("DRAIN_SECONDS", "20"), ("SHUTDOWN_SECONDS", "60"));
        using var alice = agent.As(Agent.AliceKey);
        var conversation = await alice.BeginAsync();
        var (statuses, sawItsEnd) = (new ConcurrentBag<int>(), 0);
        using var unwell = new CancellationTokenSource();
        var clients = Enumerable.Range(0, Clients).Select(i => Task.Run(() => SendAsync(i))).ToList();
        await Eventually.IsTrueAsync(() => statuses.Count > 5 * Clients, "requests are answered", Patience);

        agent.Terminate();
        await Eventually.IsTrueAsync(async () => (await agent.HealthAsync()).Status == 503, "the health is 503", Patience);
        var health = await agent.HealthAsync();
        await unwell.CancelAsync();
        await Task.WhenAll(clients);

        Assert.Equal("stopping", health.Body.GetProperty("status").GetString());
        Assert.All(statuses, static s => Assert.InRange(s, 200, 201));
        Assert.Equal(Clients, sawItsEnd);
        Assert.Equal(200, (await agent.Client.GetHeardAsync("/health/live")).Status);
        Assert.Equal(0, await agent.ExitAsync());
        Assert.Equal("", agent.Errors);
        Assert.EndsWith("stopped\n", agent.Output, StringComparison.Ordinal);

        async Task SendAsync(int client)
        {
            // What follows the moment at which the balancer knows is one last request that was on its way.
            for (var last = false; ; last = unwell.IsCancellationRequested)
            {
                using var request = client % 2 == 0
                    ? new HttpRequestMessage(HttpMethod.Get, "/load-test")
                    : new HttpRequestMessage(HttpMethod.Post, $"{conversation}/messages") { Content = new StringContent("""{"content":"hello"}""") };
                using var answer = await alice.SendAsync(request);
                Assert.NotEmpty(await answer.Content.ReadAsByteArrayAsync());
                statuses.Add((int)answer.StatusCode);
                if (!last)
                    continue;
                if (answer.Headers.ConnectionClose == true)
                    Interlocked.Increment(ref sawItsEnd);
                return;
            }
        }
    }

    [Fact]
    public async Task Sigterm_DuringARequest_WaitsForItsEnd()
    {
        Stores.SkipWithoutServers();
        await using var agent = await Agent.StartAsync(stores, ("DRAIN_SECONDS", "0"), ("SHUTDOWN_SECONDS", "60"));
        using var alice = agent.As(Agent.AliceKey);
        var conversation = await alice.BeginAsync();
        const string Body = """{"content":"slowly spoken"}""";
        using var slow = new TcpClient { NoDelay = true };
        await slow.ConnectAsync(agent.Address.Host, agent.Address.Port);
        var stream = slow.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST {conversation}/messages HTTP/1.1\r\nHost: agent\r\nX-API-Key: {Agent.AliceKey}\r\nContent-Length: {Body.Length}\r\n\r\n{Body[..9]}"));
        // Two are under way when the statistics are told: they themselves, and the slow one.
        await Eventually.IsTrueAsync(async () => (await alice.GetHeardAsync("/stats"))["requests"].GetProperty("active").GetInt64() == 2, "the request has begun", Patience);

        agent.Terminate();
        await Eventually.IsTrueAsync(async () => !await ListensAsync(agent.Address), "nobody is let in any more", Patience);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(Body[9..]));
        using var reader = new StreamReader(stream);
        var answer = await reader.ReadToEndAsync().WaitAsync(Patience);

        Assert.StartsWith("HTTP/1.1 201 Created\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("}", answer, StringComparison.Ordinal);
        Assert.Equal(0, await agent.ExitAsync());
        Assert.Equal("", agent.Errors);
    }

    [Fact]
    public async Task Sigterm_WhileWaitingForTheDatabase_EndsAtOnce()
    {
        Stores.SkipWithoutServers();
        var variables = Agent.Variables(stores.Postgres, "nowhere", stores.Redis);
        await using var agent = Agent.Launch(variables, ("DB_PORT", $"{RedisServer.FreePort()}"), ("START_TIMEOUT_SECONDS", "600"));
        await Eventually.IsTrueAsync(() => agent.Output.Contains("waiting for database"), "the service waits", Patience);

        agent.Terminate();

        Assert.Equal(0, await agent.ExitAsync());
        Assert.Equal("", agent.Errors);
    }

    private static async Task<bool> ListensAsync(Uri address)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(address.Host, address.Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
