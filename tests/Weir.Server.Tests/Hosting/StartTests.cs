using System.Net;
using System.Net.Sockets;
using Weir.Server.Hosting;
using Weir.Server.Tests.Http;

namespace Weir.Server.Tests.Hosting;

/// <summary>Starting a node, or saying why not.</summary>
public sealed class StartTests
{
    [Fact]
    public async Task Start_OnAPortInUse_SaysWhichAndWhatToDo()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        var config = RunningNode.Config(("NODE_PORT", $"{port}"));

        var failure = await Assert.ThrowsAsync<NodeStartException>(() => Node.StartAsync(config, null, default));

        Assert.Equal($"port {port} on 127.0.0.1 is in use. Stop what listens there, or choose another port with --node-port or RATELIMITER_NODE_PORT.", failure.Message);
        Assert.Equal(1, await Node.RunAsync(config, default));
    }

    [Fact]
    public async Task Start_OnAnAddressThatIsNotOurs_SaysSo()
    {
        // An address for documentation, which no machine has.
        var failure = await Assert.ThrowsAsync<NodeStartException>(() => Node.StartAsync(RunningNode.Config(("LISTEN_ADDRESS", "192.0.2.1")), null, default));

        Assert.Contains("cannot listen on 192.0.2.1", failure.Message);
        Assert.Contains("RATELIMITER_LISTEN_ADDRESS", failure.Message);
    }

    [Fact]
    public async Task Start_WithBadRules_ListsEveryProblem()
    {
        var failure = await Assert.ThrowsAsync<NodeStartException>(() => RunningNode.WithRulesAsync("""
            domain: default
            descriptors:
              - { key: a, rate_limit: { limit: -1, window: 1m } }
              - { key: b, rate_limit: { limit: 1, window: soon } }
              - { kee: c }
            """));

        var lines = failure.Message.Split('\n');
        foreach (var line in new[] { 3, 4, 5 })
            Assert.Contains(lines, l => l.Contains($"rules.yaml:{line}:"));
    }

    [Fact]
    public async Task Start_ThatFails_LeavesNothingRunning()
    {
        var time = new TimersOf();
        var path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, "domain: 5 6\nrules: none\n");
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var inUse = $"{((IPEndPoint)other.LocalEndpoint).Port}";

        await Assert.ThrowsAsync<NodeStartException>(() => Node.StartAsync(RunningNode.Config(("RULES", path)), time, default));
        await Assert.ThrowsAsync<NodeStartException>(() => Node.StartAsync(RunningNode.Config(("NODE_PORT", inUse)), time, default));

        File.Delete(path);
        Assert.Equal(0, time.Running);
        Assert.NotEqual(0, time.Started);
    }

    [Theory]
    [InlineData("MAX_COUNTERS", "1")]
    [InlineData("MAX_COUNTERS", "999")]
    [InlineData("MAX_COUNTERS", "100000001")]
    public async Task Start_WithASettingThatTheEngineRefuses_SaysSoWithTheConfiguration(string name, string value)
    {
        var failure = await Assert.ThrowsAsync<ArgumentException>(() => RunningNode.StartAsync((name, value)));

        Assert.Contains($"RATELIMITER_{name}: '{value}' must be", failure.Message);
    }

    [Fact]
    public async Task Start_TwiceInAProcess_GivesNodesThatShareNothing()
    {
        await using var one = await RunningNode.StartAsync(("DEFAULT_LIMIT", "1"));
        await using var two = await RunningNode.StartAsync(("DEFAULT_LIMIT", "1"));

        foreach (var status in new[] { 200, 429 })
        {
            Assert.Equal(status, (await one.GetAsync("/rate-limit/a")).Status);
            Assert.Equal(status, (await two.GetAsync("/rate-limit/a")).Status);
        }
    }

    [Fact]
    public async Task Health_NamesTheNode()
    {
        await using var node = await RunningNode.StartAsync(("NODE_ID", "n-7"));

        Assert.Equal("""{"status":"ok","node":"n-7"}""", (await node.GetAsync("/health")).Text);
        Assert.Equal("""{"status":"ready"}""", (await node.GetAsync("/health/ready")).Text);
    }

    [Fact]
    public async Task RealTime_LetsAWindowPass()
    {
        await using var node = await RunningNode.OnRealTimeAsync(null, ("DEFAULT_LIMIT", "2"), ("DEFAULT_WINDOW_MS", "400"));
        var time = TimeProvider.System;
        var start = time.GetTimestamp();
        Assert.Equal(200, (await node.GetAsync("/rate-limit/alice?cost=2")).Status);
        Reply reply;
        while ((reply = await node.GetAsync("/rate-limit/alice")).Status == 429)
        {
            Assert.InRange(reply.Number("retry_after_ms"), 1, 400);
            Assert.Equal("1", reply.Header("Retry-After"));
            Assert.True(time.GetElapsedTime(start) < TimeSpan.FromSeconds(20));
        }

        Assert.Equal(200, reply.Status);
        Assert.True(time.GetElapsedTime(start) >= TimeSpan.FromMilliseconds(400));
    }

    /// <summary>Counts timers.</summary>
    private sealed class TimersOf : TimeProvider
    {
        private int _running;

        public int Running => _running;

        public int Started { get; private set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Started++;
            Interlocked.Increment(ref _running);
            return new Timer(this);
        }

        private sealed class Timer(TimersOf owner) : ITimer
        {
            private bool _disposed;

            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
                if (!Interlocked.Exchange(ref _disposed, true))
                    Interlocked.Decrement(ref owner._running);
            }

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
