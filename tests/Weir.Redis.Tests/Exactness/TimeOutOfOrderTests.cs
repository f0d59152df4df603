using Weir.TestKit;

namespace Weir.Redis.Tests.Exactness;

/// <summary>
/// The server's clock steps back by less than the record of a shard notices. The counters notice: to each, an instant before the newest that it has seen is that one.
/// </summary>
public sealed class TimeOutOfOrderTests
{
    private const int Traces = 60;
    private const int Steps = 60;

    private static readonly StepKind[] Kinds = [StepKind.Take, StepKind.Stale, StepKind.Stale, StepKind.Many, StepKind.Boundary];

    // Leases end on their own whether anybody notices or not.
    public static TheoryData<AlgorithmKind> Counting => [AlgorithmKind.SlidingWindow, AlgorithmKind.TokenBucket, AlgorithmKind.FixedWindow, AlgorithmKind.SlidingCounter];

    [Theory]
    [MemberData(nameof(Counting))]
    public void Decisions_EqualTheModels(AlgorithmKind algorithm)
    {
        Assert.SkipWhen(RedisTestEngine.Unavailable is not null, RedisTestEngine.Unavailable ?? "");
        for (var seed = 0; seed < Traces; seed++)
        {
            var random = new Random(seed);
            using var engine = new RedisTestEngine { AtAnyInstant = true };
            var steps = Enumerable.Range(0, Steps).Select(_ => new Step(Kinds[random.Next(Kinds.Length)], random.Next(1_000_000), random.Next(1_000_000)));
            new ContractRun(engine, RandomRules.Of(algorithm, random.Next(), shortWindows: true)).WithoutTimers().Play(steps);
        }
    }
}
