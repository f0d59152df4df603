using Weir.AspNetCore.Tests.Running;
using Weir.TestKit.Redis;

namespace Weir.AspNetCore.Tests.Clients;

/// <summary>The client when nodes are dead, slow or broken.</summary>
public sealed class NodesFailureTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly Limit Closed = Limit.Create("limit", new LimitOptions { Permits = 100, Window = Hour });
    private static readonly Limit Open = Limit.Create("limit", new LimitOptions { Permits = 100, Window = Hour, Failure = FailurePolicy.Open });
    private static readonly Limit Local = Limit.Create("limit", new LimitOptions { Permits = 100, Window = Hour, Failure = FailurePolicy.Local });

    [Fact]
    public async Task DeadNode_IsLeftOutAndNobodyNoticesIt()
    {
        await using var node = await TestNode.StartAsync();
        var dead = $"http://127.0.0.1:{RedisServer.FreePort()}";
        await using var client = WeirClient.OverNodes(TestNode.Patient(dead, node.Address));

        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => client.CheckAsync(new LimitCharge(Closed, "a")).AsTask()));

        Assert.All(results, static r => Assert.Equal((true, DecisionSource.Exact), (r.IsAllowed, r.Source)));
        Assert.Equal(50, await node.UsedAsync(Closed, "a"));
    }

    [Fact]
    public async Task Node_ThatIsBack_IsUsedAgain()
    {
        var port = RedisServer.FreePort();
        await using var client = WeirClient.OverNodes(TestNode.Patient($"http://127.0.0.1:{port}"));
        Assert.Equal(DecisionSource.Degraded, (await client.CheckAsync(new LimitCharge(Closed, "a"))).Source);

        await using var node = await TestNode.StartAsync(null, ("NODE_PORT", $"{port}"));

        await Eventually.IsTrueAsync(async () => (await client.CheckAsync(new LimitCharge(Closed, "a"))).Source == DecisionSource.Exact, "the node is used");
    }

    [Fact]
    public async Task Node_ThatIsNotReady_IsLeftOutWithoutAFailure()
    {
        await using var stopping = await TestNode.StartAsync(null, ("DRAIN_MS", "30000"), ("SHUTDOWN_GRACE_MS", "1000"));
        await using var other = await TestNode.StartAsync();
        await using var client = WeirClient.OverNodes(TestNode.Patient(stopping.Address, other.Address));
        await client.CheckAsync(new LimitCharge(Closed, "a"));
        using var hurry = new CancellationTokenSource();

        var stop = stopping.Node.StopAsync(hurry.Token);
        await Eventually.IsTrueAsync(
            async () =>
            {
                var before = await other.UsedAsync(Closed, "probe");
                for (var i = 0; i < 4; i++)
                    Assert.Equal(DecisionSource.Exact, (await client.CheckAsync(new LimitCharge(Closed, "probe", 0))).Source);
                for (var i = 0; i < 4; i++)
                    Assert.Equal(DecisionSource.Exact, (await client.CheckAsync(new LimitCharge(Closed, "probe"))).Source);
                return await other.UsedAsync(Closed, "probe") == before + 4;
            },
            "all checks go to the node that is ready");
        await hurry.CancelAsync();
        await Task.WhenAny(stop);
    }

    [Fact]
    public async Task AllGone_UnderClosed_RefusesAtOnce()
    {
        await using var client = WeirClient.OverNodes(TestNode.Patient($"http://127.0.0.1:{RedisServer.FreePort()}"));

        var result = await client.CheckAsync(new LimitCharge(Closed, "a"));

        Assert.Equal((Outcome.Refused, DecisionSource.Degraded, TimeSpan.FromSeconds(1), "limit"), (result.Outcome, result.Source, result.RetryAfter, result.Name));
        Assert.False((await client.ReserveAsync(new LimitCharge(Closed, "a"))).IsAllowed);
    }

    [Fact]
    public async Task AllGone_UnderOpen_AllowsAndSaysSo()
    {
        await using var client = WeirClient.OverNodes(TestNode.Patient($"http://127.0.0.1:{RedisServer.FreePort()}"));

        for (var i = 0; i < 200; i++)
            Assert.Equal((true, DecisionSource.Degraded), await client.CheckAsync(new LimitCharge(Open, "a")) is var r ? (r.IsAllowed, r.Source) : default);
        var reservation = await client.ReserveAsync(new LimitCharge(Open, "a"));

        Assert.True(reservation.IsAllowed);
        Assert.True(await client.CommitAsync(reservation, 5));
    }

    [Fact]
    public async Task AllGone_UnderLocal_AllowsThisInstancesPart()
    {
        var options = TestNode.Patient($"http://127.0.0.1:{RedisServer.FreePort()}");
        options.Instances = 4;
        await using var client = WeirClient.OverNodes(options);

        var results = new List<LimitResult>();
        for (var i = 0; i < 40; i++)
            results.Add(await client.CheckAsync(new LimitCharge(Local, "a")));

        Assert.Equal((25, 40), (results.Count(static r => r.IsAllowed), results.Count(static r => r.Source == DecisionSource.Degraded)));
        Assert.True(results.TakeLast(1).All(static r => r.RetryAfter > TimeSpan.FromMinutes(59)));
        Assert.True((await client.CheckAsync(new LimitCharge(Local, "b"))).IsAllowed);
    }

    [Fact]
    public async Task AllGone_UnderLocal_ReservationsAreCorrectedHere()
    {
        var client = WeirClient.OverNodes(TestNode.Patient($"http://127.0.0.1:{RedisServer.FreePort()}"));
        await using var _ = client;

        var reservation = await client.ReserveAsync(new LimitCharge(Local, "a", 90));
        Assert.True(await client.CommitAsync(reservation, 10));
        Assert.False(await client.CommitAsync(reservation, 10));

        Assert.Equal(90, (await client.CheckAsync(new LimitCharge(Local, "a", 0))).Remaining);
    }

    [Fact]
    public async Task AllGone_SeveralLimits_OneClosedRefusesAndChargesNone()
    {
        await using var client = WeirClient.OverNodes(TestNode.Patient($"http://127.0.0.1:{RedisServer.FreePort()}"));
        var other = Limit.Create("other", new LimitOptions { Permits = 1, Window = Hour });

        Assert.False((await client.CheckAsync([new(Local, "a", 30), new(other, "a")])).IsAllowed);
        Assert.Equal(100, (await client.CheckAsync(new LimitCharge(Local, "a", 0))).Remaining);
    }

    [Fact]
    public async Task SlowNode_IsAnsweredByPolicyAndNotAskedTwice()
    {
        await using var node = await TestNode.StartAsync();
        await using var other = await TestNode.StartAsync();
        await using var proxy = new FaultyProxy(node.Port) { HoldReplies = true };
        var options = TestNode.Patient($"http://127.0.0.1:{proxy.Port}", other.Address);
        options.Timeout = TimeSpan.FromMilliseconds(500);
        await using var client = WeirClient.OverNodes(options);

        // The first goes to the slow node: nodes are used in turns.
        var result = await client.CheckAsync(new LimitCharge(Open, "a"));

        Assert.Equal((true, DecisionSource.Degraded), (result.IsAllowed, result.Source));
        Assert.Equal((1L, 0L), (await node.UsedAsync(Open, "a"), await other.UsedAsync(Open, "a")));
        await Eventually.IsTrueAsync(async () => (await client.CheckAsync(new LimitCharge(Open, "b"))).Source == DecisionSource.Exact, "the other node is used");
    }

    [Fact]
    public async Task LostAnswer_IsChargedOnce()
    {
        await using var node = await TestNode.StartAsync();
        await using var proxy = new FaultyProxy(node.Port);
        await using var client = WeirClient.OverNodes(TestNode.Patient($"http://127.0.0.1:{proxy.Port}", node.Address));
        proxy.CutAfterReplyBytes(10);

        var result = await client.CheckAsync(new LimitCharge(Open, "a"));

        Assert.Equal(DecisionSource.Degraded, result.Source);
        Assert.Equal(1, await node.UsedAsync(Open, "a"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{\"results\":[]}")]
    [InlineData("nonsense\r\n\r\n")]
    public async Task BrokenNode_IsSentACheckOnce(string? answer)
    {
        await using var first = new BrokenNode(answer);
        await using var second = new BrokenNode(answer);
        await using var client = WeirClient.OverNodes(TestNode.Patient(first.Address, second.Address));

        var check = await client.CheckAsync(new LimitCharge(Open, "a"));
        Assert.Equal((true, DecisionSource.Degraded, 1), (check.IsAllowed, check.Source, first.Posts + second.Posts));

        await Eventually.IsTrueAsync(
            async () =>
            {
                var before = first.Posts + second.Posts;
                var reserved = await client.ReserveAsync(new LimitCharge(Open, "a"));
                Assert.True(reserved.IsAllowed && reserved.Result.Source == DecisionSource.Degraded);
                Assert.InRange(first.Posts + second.Posts, before, before + 1);
                return first.Posts + second.Posts == before + 1;
            },
            "a node is tried again");
    }

    [Fact]
    public async Task Waiting_PastItsBound_IsAnsweredByPolicy()
    {
        await using var node = await TestNode.StartAsync();
        var handler = new WatchedHandler();
        var options = TestNode.Patient(node.Address);
        (options.Handler, options.ConnectionsPerNode, options.MaxWaiting) = (() => handler, 1, 3);
        await using var client = WeirClient.OverNodes(options);
        handler.Hold();

        var checks = Enumerable.Range(0, 10).Select(_ => client.CheckAsync(new LimitCharge(Open, "a")).AsTask()).ToList();
        handler.LetGo();
        var results = await Task.WhenAll(checks);

        Assert.Equal((4, 6), (results.Count(static r => r.Source == DecisionSource.Exact), results.Count(static r => r.Source == DecisionSource.Degraded)));
        Assert.Equal(4, await node.UsedAsync(Open, "a"));
    }

    [Fact]
    public async Task Dispose_AnswersWhatIsUnderWay()
    {
        await using var node = await TestNode.StartAsync();
        await using var proxy = new FaultyProxy(node.Port) { HoldReplies = true };
        var client = WeirClient.OverNodes(TestNode.Patient($"http://127.0.0.1:{proxy.Port}"));
        var checks = Enumerable.Range(0, 20).Select(_ => client.CheckAsync(new LimitCharge(Open, "a")).AsTask()).ToList();

        await client.DisposeAsync();

        Assert.All(await Task.WhenAll(checks).WaitAsync(TimeSpan.FromSeconds(30)), static r => Assert.Equal(DecisionSource.Degraded, r.Source));
        Assert.Equal(DecisionSource.Degraded, (await client.CheckAsync(new LimitCharge(Open, "a"))).Source);
    }
}
