using Weir.AspNetCore.Tests.Running;

namespace Weir.AspNetCore.Tests.Clients;

/// <summary>Checks that are asked at the same time travel together.</summary>
public sealed class BatchingTests
{
    private static readonly Limit Wide = Limit.Create("wide", 100_000, TimeSpan.FromHours(1));

    [Fact]
    public async Task Checks_WhileAllConnectionsAreBusy_GatherAndGoTogether()
    {
        await using var node = await TestNode.StartAsync();
        var (client, handler) = Watched(node, connections: 2, maxBatch: 64);
        await using var _ = client;
        handler.Hold();

        var checks = Enumerable.Range(0, 130).Select(i => client.CheckAsync(new LimitCharge(Wide, $"key-{i}")).AsTask()).ToList();
        handler.LetGo();
        var results = await Task.WhenAll(checks);

        Assert.All(results, static r => Assert.Equal((true, 99_999L, DecisionSource.Exact), (r.IsAllowed, r.Remaining, r.Source)));
        // Two alone, and 128 others in two batches of the largest size.
        Assert.Equal(4, handler.Posts);
    }

    [Fact]
    public async Task Check_ThatIsAlone_DoesNotWaitForOthers()
    {
        await using var node = await TestNode.StartAsync();
        var (client, handler) = Watched(node, connections: 1, maxBatch: 64);
        await using var _ = client;

        for (var i = 0; i < 5; i++)
            await client.CheckAsync(new LimitCharge(Wide, "a"));

        Assert.Equal(5, handler.Posts);
    }

    [Fact]
    public async Task Checks_OfManyCallers_CountExactly()
    {
        const int callers = 64;
        const int each = 50;
        await using var node = await TestNode.StartAsync();
        var (client, handler) = Watched(node, connections: 2, maxBatch: 32);
        await using var _ = client;
        var limit = Limit.Create("exact", 1_000, TimeSpan.FromHours(1));

        var allowed = await Task.WhenAll(Enumerable.Range(0, callers).Select(async _ =>
        {
            var count = 0;
            for (var i = 0; i < each; i++)
                count += (await client.CheckAsync(new LimitCharge(limit, "one"))).IsAllowed ? 1 : 0;
            return count;
        }));

        Assert.Equal(1_000, allowed.Sum());
        Assert.InRange(handler.Posts, (callers * each) / 32, (callers * each) / 2);
    }

    [Fact]
    public async Task Batch_OfLongKeys_IsKeptBelowWhatANodeTakes()
    {
        await using var node = await TestNode.StartAsync();
        var (client, handler) = Watched(node, connections: 1, maxBatch: 1_000);
        await using var _ = client;
        handler.Hold();
        // Every byte of it takes six in JSON.
        var key = new string('\u0001', 500);

        var checks = Enumerable.Range(0, 600).Select(i => client.CheckAsync(new LimitCharge(Wide, $"{key}{i}")).AsTask()).ToList();
        handler.LetGo();

        Assert.All(await Task.WhenAll(checks), static r => Assert.Equal(99_999, r.Remaining));
        Assert.InRange(handler.Posts, 3, 20);
    }

    [Fact]
    public async Task Check_ThatIsCancelled_EndsAndHarmsNoOther()
    {
        await using var node = await TestNode.StartAsync();
        var (client, handler) = Watched(node, connections: 1, maxBatch: 64);
        await using var _ = client;
        using var cancel = new CancellationTokenSource();
        handler.Hold();
        var first = client.CheckAsync(new LimitCharge(Wide, "a")).AsTask();
        var cancelled = client.CheckAsync(new LimitCharge(Wide, "b"), cancel.Token).AsTask();
        var third = client.CheckAsync(new LimitCharge(Wide, "c")).AsTask();

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        handler.LetGo();

        Assert.True((await first).IsAllowed);
        Assert.Equal(99_999, (await third).Remaining);
    }

    private static (WeirClient Client, WatchedHandler Handler) Watched(TestNode node, int connections, int maxBatch)
    {
        var handler = new WatchedHandler();
        var options = TestNode.Patient(node.Address);
        (options.Handler, options.ConnectionsPerNode, options.MaxBatch) = (() => handler, connections, maxBatch);
        return (WeirClient.OverNodes(options), handler);
    }
}
