using Weir.AspNetCore.Tests.Running;

namespace Weir.AspNetCore.Tests.Clients;

/// <summary>The client over real nodes, when all is well.</summary>
public sealed class NodesCheckTests
{
    private static readonly Limit Login = Limit.Create("login", 3, TimeSpan.FromHours(1));
    private static readonly Limit Daily = Limit.Create("daily", 5, TimeSpan.FromDays(1), AlgorithmKind.FixedWindow);

    [Fact]
    public async Task Check_SaysWhatTheNodeDecided()
    {
        await using var node = await TestNode.StartAsync();
        await using var client = WeirClient.OverNodes(TestNode.Patient(node.Address));

        var first = await client.CheckAsync(new LimitCharge(Login, "alice", 2));
        var second = await client.CheckAsync(new LimitCharge(Login, "alice", 2));
        var never = await client.CheckAsync(new LimitCharge(Login, "alice", 4));

        Assert.Equal((true, 1L, 3L, "login", DecisionSource.Exact), (first.IsAllowed, first.Remaining, first.Limit, first.Name, first.Source));
        Assert.Equal("\"login\";q=3;w=3600", first.Policy);
        Assert.InRange(first.Reset, TimeSpan.FromMinutes(59), TimeSpan.FromHours(1));
        Assert.Equal((Outcome.Refused, 1L), (second.Outcome, second.Remaining));
        Assert.InRange(second.RetryAfter, TimeSpan.FromMinutes(59), TimeSpan.FromHours(1));
        Assert.Equal((Outcome.NeverFits, TimeSpan.Zero), (never.Outcome, never.RetryAfter));
        Assert.Null(second.Receipt);
    }

    [Fact]
    public async Task Check_OfSeveralLimits_ChargesAllOrNone()
    {
        await using var node = await TestNode.StartAsync();
        await using var client = WeirClient.OverNodes(TestNode.Patient(node.Address));
        LimitCharge[] charges = [new(Login, "a"), new(Daily, "a", 2)];

        Assert.Equal((true, "login"), await client.CheckAsync(charges) is var first ? (first.IsAllowed, first.Name) : default);
        Assert.True((await client.CheckAsync(charges)).IsAllowed);
        var refused = await client.CheckAsync(charges);

        Assert.Equal((false, "daily"), (refused.IsAllowed, refused.Name));
        Assert.Equal((2L, 4L), (await node.UsedAsync(Login, "a"), await node.UsedAsync(Daily, "a")));
    }

    [Fact]
    public async Task Keys_ReachTheNodeAsTheyAre()
    {
        await using var node = await TestNode.StartAsync();
        await using var client = WeirClient.OverNodes(TestNode.Patient(node.Address));
        string[] keys = ["", "a\"b\\c", "ä/ö?%20", "\u0000\n", "😀", "\ud800", new string('x', 512), new string('x', 513), new string('y', 9_000)];

        foreach (var key in keys)
            Assert.Equal(2, (await client.CheckAsync(new LimitCharge(Login, key))).Remaining);
        foreach (var key in keys)
            Assert.Equal(1, (await client.CheckAsync(new LimitCharge(Login, key))).Remaining);
    }

    [Fact]
    public async Task Refund_GivesBackOnce()
    {
        await using var node = await TestNode.StartAsync();
        await using var client = WeirClient.OverNodes(TestNode.Patient(node.Address));

        var result = await client.CheckAsync([new LimitCharge(Login, "a", 3), new LimitCharge(Daily, "a")]);

        Assert.Equal(3, await client.RefundAsync(result.Receipt!));
        Assert.Equal((0L, 0L), (await node.UsedAsync(Login, "a"), await node.UsedAsync(Daily, "a")));
        Assert.Equal(0, await client.RefundAsync(result.Receipt!));
    }

    [Fact]
    public async Task Reservation_IsCorrectedOnceButForWhatIsFinal()
    {
        await using var node = await TestNode.StartAsync();
        await using var client = WeirClient.OverNodes(TestNode.Patient(node.Address));
        LimitCharge[] charges = [new(Login, "a") { IsFinal = true }, new(Daily, "a", 5)];

        var reservation = await client.ReserveAsync(charges, TimeSpan.FromMinutes(5));
        var refused = await client.ReserveAsync(charges);

        Assert.Equal((true, TimeSpan.FromMinutes(5)), (reservation.IsAllowed, reservation.Holds));
        Assert.Equal((false, "daily", true), (refused.IsAllowed, refused.Result.Name, await client.CommitAsync(refused, 1)));
        Assert.True(await client.RenewAsync(reservation));
        Assert.True(await client.CommitAsync(reservation, 2));
        Assert.False(await client.CommitAsync(reservation, 2));
        Assert.False(await client.RenewAsync(reservation));
        Assert.Equal((1L, 2L), (await node.UsedAsync(Login, "a"), await node.UsedAsync(Daily, "a")));
    }

    [Fact]
    public async Task Cancel_GivesAllBackAndNullLeavesIt()
    {
        await using var node = await TestNode.StartAsync();
        await using var client = WeirClient.OverNodes(TestNode.Patient(node.Address));

        Assert.True(await client.CancelAsync(await client.ReserveAsync(new LimitCharge(Daily, "a", 3))));
        Assert.True(await client.CommitAsync(await client.ReserveAsync(new LimitCharge(Daily, "b", 3)), null));

        Assert.Equal((0L, 3L), (await node.UsedAsync(Daily, "a"), await node.UsedAsync(Daily, "b")));
    }

    [Fact]
    public async Task FromNode_LetsTheNodesRulesDecide()
    {
        await using var node = await TestNode.StartAsync("""
            domain: shop
            descriptors:
              - key: search
                rate_limit: { name: searches, limit: 2, window: 1h }
            """);
        await using var client = WeirClient.OverNodes(TestNode.Patient(node.Address));
        var search = Limit.FromNode("search", "shop");

        var first = await client.CheckAsync(new LimitCharge(search, "a"));
        await client.CheckAsync(new LimitCharge(search, "a"));
        var third = await client.CheckAsync(new LimitCharge(search, "a"));
        var none = await client.CheckAsync(new LimitCharge(Limit.FromNode("other", "shop"), "a"));

        Assert.Equal((true, "searches", "\"searches\";q=2;w=3600", 1L), (first.IsAllowed, first.Name, first.Policy, first.Remaining));
        Assert.Equal((false, "searches", 2L), (third.IsAllowed, third.Name, third.Limit));
        Assert.Equal((true, (string?)null), (none.IsAllowed, none.Name));
    }

    [Fact]
    public async Task Mistake_IsToldToItsCallerAndNobodyElse()
    {
        await using var node = await TestNode.StartAsync();
        var handler = new WatchedHandler();
        var options = TestNode.Patient(node.Address);
        (options.Handler, options.ConnectionsPerNode) = (() => handler, 1);
        await using var client = WeirClient.OverNodes(options);
        handler.Hold();
        var first = client.CheckAsync(new LimitCharge(Login, "first"));

        // These wait and go together.
        var good = client.CheckAsync(new LimitCharge(Login, "good")).AsTask();
        var bad = client.CheckAsync(new LimitCharge(Limit.FromNode("x", "nowhere"), "bad")).AsTask();
        var fine = client.CheckAsync(new LimitCharge(Login, "fine")).AsTask();
        handler.LetGo();

        Assert.True((await first).IsAllowed);
        Assert.Contains("'nowhere' is not known", (await Assert.ThrowsAsync<WeirException>(() => bad)).Message);
        Assert.Equal((2L, 2L), ((await good).Remaining, (await fine).Remaining));
        Assert.Equal(3, handler.Posts);
    }

    [Fact]
    public async Task Mistake_OfArguments_IsToldBeforeAnythingIsSent()
    {
        await using var client = WeirClient.OverNodes(TestNode.Patient("http://127.0.0.1:9"));
        var other = Limit.Create("other", 1, TimeSpan.FromSeconds(1), domain: "else");

        await Assert.ThrowsAsync<WeirException>(async () => await client.CheckAsync([]));
        await Assert.ThrowsAsync<WeirException>(async () => await client.CheckAsync(new LimitCharge(Login, "a", -1)));
        var mixed = await Assert.ThrowsAsync<WeirException>(async () => await client.CheckAsync([new(Login, "a"), new(other, "a")]));
        Assert.Contains("domains 'app' and 'else'", mixed.Message);
        await Assert.ThrowsAsync<WeirException>(async () => await client.ReserveAsync(new LimitCharge(Login, "a"), TimeSpan.Zero));
        Assert.Contains("burst", Assert.Throws<RuleException>(() => Limit.Create("x", new LimitOptions { Burst = 5 })).Message);
    }
}
