using System.Threading.RateLimiting;
using Weir.AspNetCore.Tests.Running;
using Weir.TestKit;
using Weir.TestKit.Redis;

namespace Weir.AspNetCore.Tests.RateLimiting;

public sealed class WeirRateLimiterTests : IAsyncDisposable
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly Limit ThreeAMinute = Limit.Create("three", 3, Minute);
    private static readonly Limit TwoAtOnce = Limit.Create("two-at-once", 2, Minute, AlgorithmKind.Concurrency);

    private readonly ManualTimeProvider _time = new();
    private readonly WeirClient _memory;

    public WeirRateLimiterTests() => _memory = WeirClient.InMemory(null, _time);

    public ValueTask DisposeAsync() => _memory.DisposeAsync();

    [Fact]
    public async Task Acquire_WhenSpent_IsRefusedWithTheExactTimeAndTheWholeAnswer()
    {
        await using var limiter = Limiter(ThreeAMinute);
        for (var i = 0; i < 3; i++)
        {
            using var lease = await limiter.AcquireAsync();
            Assert.True(lease.IsAcquired);
            Assert.True(lease.TryGetMetadata(WeirMetadataName.Result, out var given));
            Assert.Equal(2 - i, given.Remaining);
            Assert.False(lease.TryGetMetadata(MetadataName.RetryAfter, out _));
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        using var refused = await limiter.AcquireAsync();
        Assert.False(refused.IsAcquired);
        Assert.True(refused.TryGetMetadata(MetadataName.RetryAfter, out var retryAfter));
        Assert.Equal(57, retryAfter.TotalSeconds, 3);
        Assert.True(refused.TryGetMetadata(MetadataName.ReasonPhrase, out var reason));
        Assert.Equal("The limit 'three' is reached.", reason);
        Assert.True(refused.TryGetMetadata(WeirMetadataName.Result, out var result));
        Assert.Equal("three", result.Name);
        Assert.Equal(["REASON_PHRASE", "RETRY_AFTER", "WEIR_RESULT"], refused.MetadataNames.Order(StringComparer.Ordinal));

        _time.Advance(retryAfter);
        using var again = await limiter.AcquireAsync();
        Assert.True(again.IsAcquired);
    }

    [Fact]
    public async Task Limiters_OfOneNameAndKey_ShareTheirPermits_AndOthersDoNot()
    {
        await using var one = Limiter(ThreeAMinute);
        await using var other = Limiter(ThreeAMinute);
        await using var bob = new WeirRateLimiter(_memory, ThreeAMinute, "bob", null, _time);
        Assert.True((await one.AcquireAsync(2)).IsAcquired);
        Assert.False((await other.AcquireAsync(2)).IsAcquired);
        Assert.True((await other.AcquireAsync(1)).IsAcquired);
        Assert.True((await bob.AcquireAsync(3)).IsAcquired);
    }

    [Fact]
    public async Task Acquire_OfZero_LooksWithoutTaking()
    {
        await using var limiter = Limiter(ThreeAMinute);
        for (var i = 0; i < 9; i++)
            Assert.True((await limiter.AcquireAsync(0)).IsAcquired);
        Assert.True((await limiter.AcquireAsync(3)).IsAcquired);
    }

    [Fact]
    public async Task Acquire_OfMoreThanTheLimitCanGive_IsRefusedWithoutATime()
    {
        await using var limiter = Limiter(ThreeAMinute);
        using var lease = await limiter.AcquireAsync(4);
        Assert.False(lease.IsAcquired);
        Assert.False(lease.TryGetMetadata(MetadataName.RetryAfter, out _));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await limiter.AcquireAsync(RuleBounds.MaxCost + 1));
    }

    [Fact]
    public void Attempt_InMemory_Asks()
    {
        using var limiter = Limiter(ThreeAMinute);
        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(_ => limiter.AttemptAcquire().IsAcquired));
    }

    [Fact]
    public async Task Attempt_OverANetwork_RefusesWithoutAsking_UnlessItMayBlock()
    {
        await using var node = await TestNode.StartAsync();
        await using var client = WeirClient.OverNodes(TestNode.Patient(node.Address));
        await using var limiter = new WeirRateLimiter(client, ThreeAMinute, "alice");
        using (var lease = limiter.AttemptAcquire())
        {
            Assert.False(lease.IsAcquired);
            Assert.False(lease.TryGetMetadata(WeirMetadataName.Result, out _));
            Assert.True(lease.TryGetMetadata(MetadataName.ReasonPhrase, out var reason));
            Assert.Contains("AcquireAsync", reason);
        }
        Assert.Equal(0, await node.UsedAsync(ThreeAMinute, "alice"));

        await using var blocking = new WeirRateLimiter(client, ThreeAMinute, "alice", new WeirRateLimiterOptions { AttemptBlocks = true });
        Assert.True(blocking.AttemptAcquire(2).IsAcquired);
        Assert.Equal(2, await node.UsedAsync(ThreeAMinute, "alice"));
        Assert.True((await limiter.AcquireAsync()).IsAcquired);
        Assert.False(blocking.AttemptAcquire().IsAcquired);
    }

    [Fact]
    public async Task Leases_AreGivenBackOnce_WhenTheyAreDisposed()
    {
        await using var limiter = Limiter(TwoAtOnce);
        var first = await limiter.AcquireAsync();
        var second = await limiter.AcquireAsync();
        Assert.False((await limiter.AcquireAsync()).IsAcquired);
        first.Dispose();
        first.Dispose();
        var third = await limiter.AcquireAsync();
        Assert.True(third.IsAcquired);
        Assert.False((await limiter.AcquireAsync()).IsAcquired);
        second.Dispose();
        third.Dispose();
        Assert.True((await limiter.AcquireAsync(2)).IsAcquired);
    }

    [Fact]
    public async Task Leases_AreRenewedWhileTheyAreHeld()
    {
        await using var limiter = Limiter(TwoAtOnce);
        using var held = await limiter.AcquireAsync(2);
        for (var i = 0; i < 20; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(15));
            Assert.False((await limiter.AcquireAsync()).IsAcquired);
        }
    }

    [Fact]
    public async Task Queue_ServesInOrderAsPermitsComeBack()
    {
        await using var limiter = Limiter(ThreeAMinute, new WeirRateLimiterOptions { QueueLimit = 10, MaxWait = TimeSpan.FromHours(1) });
        var served = new List<int>();
        var waiting = Enumerable.Range(0, 8).Select(async i =>
        {
            using var lease = await limiter.AcquireAsync();
            Assert.True(lease.IsAcquired);
            lock (served)
                served.Add(i);
        }).ToList();
        Assert.Equal(3, served.Count);
        Assert.Equal(5, limiter.GetStatistics()!.CurrentQueuedCount);
        await Eventually.IsTrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return waiting.TrueForAll(w => w.IsCompleted);
            },
            "all are served");
        await Task.WhenAll(waiting);
        Assert.Equal(0, limiter.GetStatistics()!.CurrentQueuedCount);
        // Eight of three a minute take two minutes.
        Assert.True(_time.GetUtcNow() - new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero) >= TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task Queue_WhenFull_RefusesAtOnce_AndCancellationMakesRoom()
    {
        await using var limiter = Limiter(ThreeAMinute, new WeirRateLimiterOptions { QueueLimit = 1 });
        Assert.True((await limiter.AcquireAsync(3)).IsAcquired);
        using var cancellation = new CancellationTokenSource();
        var waiting = limiter.AcquireAsync(1, cancellation.Token).AsTask();
        using var refused = await limiter.AcquireAsync();
        Assert.False(refused.IsAcquired);
        Assert.True(refused.TryGetMetadata(MetadataName.RetryAfter, out var retryAfter));
        Assert.InRange(retryAfter.TotalSeconds, 59, 60);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        var next = limiter.AcquireAsync().AsTask();
        Assert.False(next.IsCompleted);
        limiter.Dispose();
        Assert.False((await next).IsAcquired);
        Assert.Throws<ObjectDisposedException>(() => limiter.AttemptAcquire());
    }

    [Fact]
    public async Task IdleDuration_IsNoneWhileLeasesAreHeld()
    {
        await using var limiter = Limiter(TwoAtOnce);
        _time.Advance(Minute);
        Assert.Equal(60, limiter.IdleDuration!.Value.TotalSeconds, 3);
        var lease = await limiter.AcquireAsync();
        Assert.Null(limiter.IdleDuration);
        lease.Dispose();
        Assert.Equal(0, limiter.IdleDuration!.Value.TotalSeconds, 3);
    }

    [Fact]
    public async Task Statistics_CountThisLimitersLeases()
    {
        await using var limiter = Limiter(ThreeAMinute);
        Assert.Equal(3, limiter.GetStatistics()!.CurrentAvailablePermits);
        for (var i = 0; i < 5; i++)
            (await limiter.AcquireAsync()).Dispose();
        var statistics = limiter.GetStatistics()!;
        Assert.Equal((3, 2, 0), (statistics.TotalSuccessfulLeases, statistics.TotalFailedLeases, statistics.CurrentAvailablePermits));
    }

    [Fact]
    public async Task Partitions_OfAPartitionedLimiter_AreKeptApart()
    {
        await using var limiter = PartitionedRateLimiter.Create<string, string>(key => WeirRateLimitPartition.Get(_memory, key, ThreeAMinute, null, _time));
        foreach (var key in new[] { "a", "b" })
        {
            for (var i = 0; i < 4; i++)
                Assert.Equal(i < 3, (await limiter.AcquireAsync(key)).IsAcquired);
        }
    }

    private WeirRateLimiter Limiter(Limit limit, WeirRateLimiterOptions? options = null) => new(_memory, limit, "alice", options, _time);
}
