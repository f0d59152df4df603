using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Batching;

/// <summary>What callers do is their affair: none of it keeps others from their answers.</summary>
[Collection(nameof(OneByOne))]
public sealed class CallersTests
{
    private static readonly Rule Rule = Counters.Rule(1_000_000, Counters.Long, AlgorithmKind.TokenBucket);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(5)]
    [InlineData(14)]
    [InlineData(60)]
    public async Task CallerWhoBlocksUntilTheOthersHaveGoneOn_DoesNotBlockThem(int callers)
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var node = await RedisNode.StartAsync($"redis://127.0.0.1:{proxy.Port}", new RedisEngineOptions { DecisionTimeout = RedisNode.Patient });
        using var others = new CountdownEvent(callers - 1);
        var blocking = 0;
        // What waits goes with one batch, and is answered together.
        proxy.HoldReplies = true;
        var asking = Enumerable.Range(0, callers).Select(AskAsync).ToArray();
        proxy.HoldReplies = false;

        Assert.All(await Task.WhenAll(asking).WaitAsync(2 * Patience), Assert.True);

        async Task<bool> AskAsync(int caller)
        {
            await node.Engine.DecideAsync(Counters.Charge(Rule, caller));
            // The first two are alone in their batches.
            if (caller >= 2 && Interlocked.Exchange(ref blocking, 1) == 0)
                return others.Wait(Patience);
            others.Signal();
            return true;
        }
    }

    [Fact]
    public async Task CallerWithASynchronizationContext_DoesNotDrawTheEngineIntoIt()
    {
        await using var server = await Servers.StartAsync();
        await using var node = new RedisNode(Servers.UrlOf(server), new RedisEngineOptions { DecisionTimeout = RedisNode.Patient });
        var stuck = new StuckContext();
        var starting = stuck.Run(() => node.Engine.StartAsync());
        await Eventually.IsTrueAsync(() => node.Engine.Status.Health == EngineHealth.Healthy, "the engine is ready");

        for (var round = 0; round < 10; round++)
        {
            var asking = stuck.Run(() => node.Engine.DecideAsync(Counters.Charge(Rule, "key")).AsTask());
            Assert.True((await asking.WaitAsync(Patience)).IsAllowed);
        }
        Assert.True((await node.Engine.DecideAsync(Counters.Charge(Rule, "key")).AsTask().WaitAsync(Patience)).IsAllowed);
        Assert.False(starting.IsFaulted);
    }

    [Fact]
    public async Task ListenerThatThrows_StopsNobody()
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var node = new RedisNode($"redis://127.0.0.1:{proxy.Port}", new RedisEngineOptions { DecisionTimeout = RedisNode.Steady });
        var told = 0;
        node.Engine.StatusChanged = _ =>
        {
            Interlocked.Increment(ref told);
            throw new InvalidOperationException("a listener's mistake");
        };
        await node.Engine.StartAsync();
        for (var round = 0; round < 3; round++)
        {
            proxy.HoldReplies = true;
            var cut = Enumerable.Range(0, 10).Select(c => node.Engine.DecideAsync(Counters.Charge(Rule, c)).AsTask()).ToArray();
            proxy.CutAll();
            Assert.All(await Task.WhenAll(cut).WaitAsync(Patience), static d => Assert.Equal(DecisionSource.Degraded, d.Source));
            proxy.HoldReplies = false;
            await Eventually.IsTrueAsync(() => node.Engine.Status.Health == EngineHealth.Healthy, "Redis is back");
            Assert.All(
                await Task.WhenAll(Enumerable.Range(0, 10).Select(c => node.Engine.DecideAsync(Counters.Charge(Rule, c)).AsTask())).WaitAsync(Patience),
                static d => Assert.Equal(DecisionSource.Exact, d.Source));
        }
        Assert.InRange(told, 6, int.MaxValue);
    }

    /// <summary>The context of a thread that never gets round to what is posted to it.</summary>
    private sealed class StuckContext : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state)
        {
        }

        public Task Run(Func<Task> ask) => Run<Task>(ask);

        public Task<T> Run<T>(Func<Task<T>> ask) => Run<Task<T>>(ask);

        private TTask Run<TTask>(Func<TTask> ask)
        {
            var before = Current;
            SetSynchronizationContext(this);
            try
            {
                return ask();
            }
            finally
            {
                SetSynchronizationContext(before);
            }
        }
    }
}
