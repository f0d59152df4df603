using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Faults;

/// <summary>The failure policy <c>local</c>: each node goes on with its part of what was left, and pays afterwards.</summary>
[Collection(nameof(OneByOne))]
public sealed class LocalPolicyTests
{
    private const int Limit = 300;
    private const int Nodes = 3;

    private static Rule Local(long permits, AlgorithmKind algorithm = AlgorithmKind.SlidingWindow) => Counters.Rule(permits, Counters.Long, algorithm, FailurePolicy.Local);

    public static TheoryData<AlgorithmKind> Counting => [AlgorithmKind.SlidingWindow, AlgorithmKind.TokenBucket, AlgorithmKind.FixedWindow, AlgorithmKind.SlidingCounter];

    [Theory]
    [MemberData(nameof(Counting))]
    public async Task CutOffNode_AdmitsItsPartOfWhatWasLeft_AndPaysForIt(AlgorithmKind algorithm)
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Steady, Nodes - 1);
        var cut = await fleet.AddAsync($"redis://127.0.0.1:{proxy.Port}");
        foreach (var node in fleet.Nodes)
            node.Engine.Nodes = Nodes;
        var charge = Counters.Charge(Local(Limit, algorithm), "key");
        Assert.Equal(60, await AllowedAsync(fleet[0], charge, 60));
        Assert.Equal(30, await AllowedAsync(cut, charge, 30));

        await CutOffAsync(proxy, cut);
        // Seventy of the two hundred and ten that it last saw to be left.
        Assert.Equal(70, await AllowedAsync(cut, charge, 200));
        Assert.Equal(40, await AllowedAsync(fleet[1], charge, 40));
        Restore(proxy);
        await fleet.IsHealthyAsync(TimeSpan.FromSeconds(2));

        await Eventually.IsTrueAsync(async () => await Counters.UsedAsync(fleet[0], charge) == 60 + 30 + 70 + 40, "the debt is paid, once");
        Assert.Equal(Limit - 200, await AllowedAsync(fleet[1], charge, Limit));
    }

    [Fact]
    public async Task Flapping_BringsNoNewPart()
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var fleet = await Fleet.StartAsync($"redis://127.0.0.1:{proxy.Port}", RedisNode.Steady, 1);
        var node = fleet[0];
        node.Engine.Nodes = Nodes;
        var charge = Counters.Charge(Local(Limit), "key");
        var admitted = 0;
        for (var flap = 0; flap < 10; flap++)
        {
            await CutOffAsync(proxy, node);
            admitted += await AllowedAsync(node, charge, 40);
            Restore(proxy);
            await fleet.IsHealthyAsync(TimeSpan.FromSeconds(2));
        }

        Assert.Equal(Limit / Nodes, admitted);
        await Eventually.IsTrueAsync(async () => await Counters.UsedAsync(node, charge) == admitted, "all of it is paid");
    }

    [Fact]
    public async Task SpentCounter_StaysSpent_HoweverManyCallersComeAtOnce()
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Steady, 1);
        var node = fleet[0];
        var rule = Local(10);
        var charges = Enumerable.Range(0, 300).Select(key => Counters.Charge(rule, key)).ToArray();
        foreach (var charge in charges)
            Assert.True((await node.Engine.DecideAsync(charge with { Cost = 10 })).IsAllowed);

        await server.KillAsync();
        await Eventually.IsTrueAsync(() => node.Engine.Status.Health == EngineHealth.Degraded, "the node has noticed");
        // Callers meet at each counter in turn.
        using var barrier = new Barrier(4);
        var admitted = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
            () => charges.Count(c => MeetAndAsk(barrier, node, c)), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        Assert.Equal(0, admitted.Sum());
    }

    [Fact]
    public async Task DebtsOfManyCounters_AreAllPaid()
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var fleet = await Fleet.StartAsync($"redis://127.0.0.1:{proxy.Port}", RedisNode.Steady, 1);
        var node = fleet[0];
        var rule = Local(10);
        var charges = Enumerable.Range(0, 20_000).Select(key => Counters.Charge(rule, key)).ToArray();

        await CutOffAsync(proxy, node);
        foreach (var charge in charges)
            Assert.True((await node.Engine.DecideAsync(charge)).IsAllowed);
        Restore(proxy);
        await fleet.IsHealthyAsync(TimeSpan.FromSeconds(2));

        await using var other = await Fleet.StartAsync(server, RedisNode.Patient, 1);
        await Eventually.IsTrueAsync(async () => await UnpaidAsync(other[0], charges) == 0, "all debts are paid", TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task RequestWhoseAnswerIsLate_IsNotChargedAgain()
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var fleet = await Fleet.StartAsync($"redis://127.0.0.1:{proxy.Port}", RedisNode.Steady, 1);
        await using var other = await Fleet.StartAsync(server, RedisNode.Patient, 1);
        var charge = Counters.Charge(Local(Limit), "key");

        // The server charges it, and the node learns of it too late, or not at all.
        proxy.HoldReplies = true;
        var late = await fleet[0].Engine.DecideAsync(charge);
        proxy.HoldReplies = false;
        await fleet.IsHealthyAsync(TimeSpan.FromSeconds(2));
        proxy.HoldReplies = true;
        var cut = fleet[0].Engine.DecideAsync(charge).AsTask();
        await Eventually.IsTrueAsync(async () => await Counters.UsedAsync(other[0], charge) == 2, "the server has charged it");
        proxy.CutAll();
        proxy.HoldReplies = false;

        Assert.True(late is { IsAllowed: true, Source: DecisionSource.Degraded });
        Assert.True(await cut is { IsAllowed: true, Source: DecisionSource.Degraded });
        // Neither when the node comes back nor with one of the next pulses, of which there are four a second.
        await fleet.IsHealthyAsync(TimeSpan.FromSeconds(2));
        await Task.Delay(TimeSpan.FromMilliseconds(600));
        Assert.Equal(2, await Counters.UsedAsync(other[0], charge));
    }

    [Fact]
    public async Task RequestThatWaitedTooLongToBeSent_IsChargedAfterwards()
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var node = await RedisNode.StartAsync($"redis://127.0.0.1:{proxy.Port}", new RedisEngineOptions { DecisionTimeout = RedisNode.Steady, StaysInPlace = true });
        await using var other = await Fleet.StartAsync(server, RedisNode.Patient, 1);
        var charge = Counters.Charge(Local(Limit), "key");

        // Two batches are under way and their answers do not come; what is asked meanwhile waits behind them until it is too late to send it.
        await Task.WhenAll(Enumerable.Range(0, 10).Select(key => node.Engine.DecideAsync(Counters.Charge(charge.Rule, key)).AsTask()));
        // Away from the pump, which is still answering here.
        await Task.Yield();
        proxy.HoldReplies = true;
        var asked = Enumerable.Range(0, 7).Select(_ => node.Engine.DecideAsync(charge).AsTask()).ToArray();
        Assert.All(await Task.WhenAll(asked), static d => Assert.True(d is { IsAllowed: true, Source: DecisionSource.Degraded }));
        proxy.HoldReplies = false;

        await Eventually.IsTrueAsync(async () => await Counters.UsedAsync(other[0], charge) == asked.Length, "what was not sent is paid");
        await Task.Delay(TimeSpan.FromMilliseconds(600));
        Assert.Equal(asked.Length, await Counters.UsedAsync(other[0], charge));
    }

    [Fact]
    public async Task DebtsOfAFullQueue_ArePaidWithoutAnOutage()
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var node = await RedisNode.StartAsync($"redis://127.0.0.1:{proxy.Port}", new RedisEngineOptions { DecisionTimeout = RedisNode.Patient, MaxWaiting = 128 });
        var rule = Local(10);
        var charges = Enumerable.Range(0, 2_000).Select(key => Counters.Charge(rule, key)).ToArray();

        // Redis takes a moment, so that more wait than may, however slowly this thread asks.
        proxy.HoldRequests = true;
        var deciding = charges.Select(c => node.Engine.DecideAsync(c).AsTask()).ToArray();
        proxy.HoldRequests = false;
        var decisions = await Task.WhenAll(deciding);

        Assert.All(decisions, static d => Assert.True(d.IsAllowed));
        Assert.Equal(node.Engine.Counters[DegradedReason.QueueFull], decisions.Count(static d => d.Source == DecisionSource.Degraded));
        Assert.NotEqual(0, node.Engine.Counters[DegradedReason.QueueFull]);
        await using var other = await Fleet.StartAsync(server, RedisNode.Patient, 1);
        await Eventually.IsTrueAsync(async () => await UnpaidAsync(other[0], charges) == 0, "all debts are paid", TimeSpan.FromSeconds(5));
    }

    private static bool MeetAndAsk(Barrier barrier, RedisNode node, Charge charge)
    {
        barrier.SignalAndWait();
        var decision = node.Engine.DecideAsync(charge).AsTask();
        Assert.True(decision.IsCompleted);
        return decision.GetAwaiter().GetResult().IsAllowed;
    }

    private static async Task<int> UnpaidAsync(RedisNode node, Charge[] charges)
    {
        var unpaid = 0;
        foreach (var chunk in charges.Chunk(500))
            unpaid += (await Task.WhenAll(chunk.Select(c => Counters.UsedAsync(node, c)))).Count(static used => used != 1);
        return unpaid;
    }

    // New connections are made, and nothing is answered on them.
    private static Task CutOffAsync(FaultyProxy proxy, RedisNode node)
    {
        proxy.HoldRequests = true;
        proxy.CutAll();
        return Eventually.IsTrueAsync(() => node.Engine.Status.Health == EngineHealth.Degraded, "the node is degraded");
    }

    private static void Restore(FaultyProxy proxy)
    {
        proxy.HoldRequests = false;
        proxy.CutAll();
    }

    private static async Task<int> AllowedAsync(RedisNode node, Charge charge, int requests)
    {
        var allowed = 0;
        for (var i = 0; i < requests; i++)
            allowed += (await node.Engine.DecideAsync(charge)).IsAllowed ? 1 : 0;
        return allowed;
    }
}
