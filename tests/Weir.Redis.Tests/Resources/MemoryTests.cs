using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;
using Weir.Resp;

namespace Weir.Redis.Tests.Resources;

/// <summary>What counters take in Redis, under a flood of keys that come once and never again.</summary>
[Collection(nameof(OneByOne))]
public sealed class MemoryTests
{
    private const long Second = 1_000_000;
    private const int Callers = 192;

    // Of a node that has seen any number of keys: what it remembers is of fixed size, and names wait for their turn.
    private const long OwnBytes = 2 << 20;

    [Theory]
    [InlineData(AlgorithmKind.TokenBucket, 10_000, 150)]
    [InlineData(AlgorithmKind.SlidingWindow, 10_000, 150)]
    [InlineData(AlgorithmKind.FixedWindow, 10_000, 150)]
    [InlineData(AlgorithmKind.SlidingCounter, 10_000, 150)]
    [InlineData(AlgorithmKind.Concurrency, 10_000, 150)]
    [InlineData(AlgorithmKind.SlidingWindow, 1_000_000, 130)]
    public async Task Flood_OfDistinctKeys_TakesSoManyBytesEach(AlgorithmKind algorithm, int keys, int bytesPerKey)
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient);
        var rule = Counters.Rule(5, TimeSpan.FromHours(1), algorithm);
        var before = await Keys.UsedMemoryAsync(fleet[0].Client);

        await FloodAsync(fleet, rule, 0, keys / 2);
        var own = LiveBytes();
        await FloodAsync(fleet, rule, keys / 2, keys);

        var perKey = (await Keys.UsedMemoryAsync(fleet[0].Client) - before) / (double)keys;
        TestContext.Current.TestOutputHelper?.WriteLine($"{perKey:0.0} bytes per key");
        Assert.InRange(perKey, 20, bytesPerKey);
        own = (LiveBytes() - own) / fleet.Nodes.Count;
        TestContext.Current.TestOutputHelper?.WriteLine($"{own} bytes more in each node");
        Assert.InRange(own, long.MinValue, OwnBytes);
        fleet.HasNotDegraded();
        await Keys.AllEndAsync(fleet[0].Client);
    }

    [Fact]
    public async Task OldGenerations_AreFreed()
    {
        await using var server = await Servers.StartAsync();
        var time = new TestTime();
        await using var node = await time.StartAsync(server.Port);
        var rule = Counters.Rule(5, TimeSpan.FromSeconds(10));
        var most = 0L;
        var empty = await Keys.UsedMemoryAsync(node.Client);
        for (var generation = 0; generation < 6; generation++)
        {
            for (var from = 0; from < 5_000; from += 250)
                await Task.WhenAll(Enumerable.Range(from, 250).Select(k => node.Engine.DecideAsync(Counters.Charge(rule, (generation * 5_000) + k)).AsTask()));
            if (generation == 2)
                most = await Keys.UsedMemoryAsync(node.Client) - empty;
            time.NowMicros += 10 * Second;
        }
        // Two generations at a time, whatever the number of keys that ever were.
        await TestKit.Redis.Eventually.IsTrueAsync(
            async () => await Keys.UsedMemoryAsync(node.Client) - empty < 1.3 * most, "no more is used than at the third generation");
        var hashes = (await Keys.OfAsync(node.Client)).Where(static k => k.Contains(":10s:")).ToList();
        Assert.InRange(hashes.Count(static k => !k.Contains("names") && !k.Contains("rules")), 1, 3);
        await Keys.AllEndAsync(node.Client);
    }

    // Without what earlier tests have left to finalizers.
    private static long LiveBytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private static Task FloodAsync(Fleet fleet, Rule rule, int from, int to) =>
        Task.WhenAll(Enumerable.Range(0, Callers).Select(c => Task.Run(() => AskAsync(fleet[c % 3], rule, from + c, to))));

    private static async Task AskAsync(RedisNode node, Rule rule, int from, int to)
    {
        for (var key = from; key < to; key += Callers)
            Assert.True((await node.Engine.DecideAsync(Counters.Charge(rule, key))).IsAllowed);
    }
}
