using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;

namespace Weir.Redis.Tests.Batching;

/// <summary>What a decision leaves to the garbage collector: nothing.</summary>
[Collection(nameof(OneByOne))]
public sealed class AllocationTests
{
    private const int Callers = 64;
    private const int Rounds = 500;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public static TheoryData<AlgorithmKind> Algorithms => [.. Enum.GetValues<AlgorithmKind>()];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public Task Decisions_OnceWarm_AllocateNothing(AlgorithmKind algorithm) => CheckAsync(
        static (engine, charges, _) => engine.DecideAsync(charges[0]),
        // Sliding counters have no shorter windows.
        algorithm == AlgorithmKind.SlidingCounter ? Counters.Rule(1_000, TimeSpan.FromMilliseconds(100), algorithm) : Counters.Rule(100, TimeSpan.FromMilliseconds(10), algorithm));

    [Fact]
    public Task SeveralLimits_OnceWarm_AllocateNothing() => CheckAsync(
        static (engine, charges, decisions) => engine.DecideAsync(charges, decisions), Counters.Rule(1_000_000, TimeSpan.FromMilliseconds(200), AlgorithmKind.TokenBucket));

    private static async Task CheckAsync(Func<RedisEngine, Charge[], Decision[], ValueTask<Decision>> ask, Rule rule)
    {
#if DEBUG
        Assert.Skip("Without optimization the compiler makes every asynchronous method allocate. Run it with -c Release.");
#endif
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient, 1);
        var charges = Enumerable.Range(0, Callers).Select(c => new[] { Counters.Charge(rule, c % 16), Counters.Charge(rule, 100 + c) }).ToArray();
        var decisions = charges.Select(static c => new Decision[c.Length]).ToArray();
        // Four pulses a second, which a slow machine has more of while it decides as much.
        var idle = await AllocatedAsync(static () => Task.Delay(Second)) / Second.TotalSeconds;
        var least = double.MaxValue;
        for (var attempt = 0; attempt < 12 && least >= 1; attempt++)
        {
            var began = TimeProvider.System.GetTimestamp();
            var allocated = await AllocatedAsync(
                () => Task.WhenAll(Enumerable.Range(0, Callers).Select(c => CallAsync(fleet[0].Engine, ask, charges[c], decisions[c]))));
            least = Math.Min(least, (allocated - (idle * TimeProvider.System.GetElapsedTime(began).TotalSeconds)) / (Callers * Rounds));
        }
        // The callers themselves, once each, and pools while they grow: less than a byte a decision when nothing else is allocated.
        Assert.True(least < 1, $"{least:0.00} bytes per decision, besides {idle:0} a second");
        Assert.InRange(idle, 0, 16_000);
    }

    private static async Task<long> AllocatedAsync(Func<Task> work)
    {
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await work();
        return GC.GetTotalAllocatedBytes(precise: true) - before;
    }

    private static async Task CallAsync(RedisEngine engine, Func<RedisEngine, Charge[], Decision[], ValueTask<Decision>> ask, Charge[] charges, Decision[] decisions)
    {
        await Task.Yield();
        for (var i = 0; i < Rounds; i++)
            await ask(engine, charges, decisions);
    }
}
