using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Batching;

/// <summary>Operations that wait for company under load: they share scripts, and nobody waits for company that does not come.</summary>
[Collection(nameof(OneByOne))]
public sealed class GatheringTests
{
    private const int Crowd = 42;
    private const int Few = 5;

    private static readonly Rule Rule = Counters.Rule(1_000_000_000, Counters.Long, AlgorithmKind.TokenBucket);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task AfterACrowd_AFewGoTogether()
    {
        const int rounds = 20;
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var node = await RedisNode.StartAsync($"redis://127.0.0.1:{proxy.Port}", new RedisEngineOptions { DecisionTimeout = RedisNode.Patient, StaysInPlace = true });
        var batches = 0L;
        for (var round = 0; round < rounds; round++)
        {
            proxy.HoldReplies = true;
            var crowd = Ask(node, Crowd);
            proxy.HoldReplies = false;
            await Task.WhenAll(crowd).WaitAsync(Patience);
            // Away from the pump, which may still be answering here.
            await Task.Yield();
            var before = node.Engine.Counters[EngineCount.Batches];
            await Task.WhenAll(Ask(node, Few)).WaitAsync(Patience);
            batches += node.Engine.Counters[EngineCount.Batches] - before;
        }
        // Each at once would be three batches or more: two that find a free place, and those that wait meanwhile.
        Assert.InRange(batches, rounds, 2 * rounds);
    }

    [Fact]
    public async Task OnceTheCrowdIsGone_SomeoneAloneDoesNotWait()
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient, 1);
        for (var round = 0; round < 20; round++)
            await Task.WhenAll(Ask(fleet[0], 2 * Crowd)).WaitAsync(Patience);
        var least = TimeSpan.MaxValue;
        for (var i = 0; i < 200; i++)
        {
            var asked = TimeProvider.System.GetTimestamp();
            await fleet[0].Engine.DecideAsync(Counters.Charge(Rule, i));
            var took = TimeProvider.System.GetElapsedTime(asked);
            least = took < least ? took : least;
        }
        // Beats come every millisecond, and the first only says that nothing was sent since.
        Assert.True(least < TimeSpan.FromMilliseconds(0.9), $"The fastest answer took {least.TotalMilliseconds:0.00} ms.");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Crowds_OfEverySize_AreAnsweredToTheLast(bool inPlace)
    {
        await using var server = await Servers.StartAsync();
        await using var node = await RedisNode.StartAsync(
            Servers.UrlOf(server), new RedisEngineOptions { DecisionTimeout = RedisNode.Patient, StaysInPlace = inPlace });
        var random = new Random(11);
        for (var round = 0; round < 400; round++)
        {
            var asked = Ask(node, random.Next(1, 100));
            foreach (var decision in await Task.WhenAll(asked).WaitAsync(Patience))
                Assert.NotEqual(DecisionSource.Degraded, decision.Source);
            // Before, while or after the next beat.
            await Task.Delay(TimeSpan.FromMicroseconds(random.Next(3_000)));
        }
    }

    private static Task<Decision>[] Ask(RedisNode node, int callers) =>
        [.. Enumerable.Range(0, callers).Select(c => node.Engine.DecideAsync(Counters.Charge(Rule, c)).AsTask())];
}
