using BenchmarkDotNet.Attributes;
using Weir.Benchmarks.Contenders;

namespace Weir.Benchmarks.Questions;

/// <summary>Runs contenders for a benchmark class; a class says which traffic and which limit.</summary>
public abstract class ContenderBenchmarks
{
    private protected const int Decisions = 1 << 18;

    private Contender? _contender;
    private Traffic? _traffic;

    /// <summary>Threads that decide at once.</summary>
    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalCleanup]
    public void Cleanup() => _contender?.Dispose();

    // The contender is made by the first call, which is part of the warm-up: a setup would have to make those of the other methods too, timers and all.
    private protected long Run(int keys, Limit limit, Func<Limit, Contender> create)
    {
        if (_contender is null)
        {
            _traffic = new Traffic(keys, Threads);
            _contender = create(limit);
            _contender.Decide(_traffic.EveryKey);
        }
        return Race.Run(_contender, _traffic!, Decisions).Allowed;
    }
}

/// <summary>How many decisions per second over 100,000 keys in random order, all allowed?</summary>
public class DecisionBenchmarks : ContenderBenchmarks
{
    private const int Keys = 100_000;

    [Benchmark(Baseline = true, OperationsPerInvoke = Decisions)]
    public long Partitioned() => Run(Keys, Limit.Wide, static l => new PartitionedContender(l, timerPerKey: false));

    [Benchmark(OperationsPerInvoke = Decisions)]
    public long LockAndDictionary() => Run(Keys, Limit.Wide, static l => new LockedContender(l));

    [Benchmark(OperationsPerInvoke = Decisions)]
    public long TokenBucket() => Run(Keys, Limit.Wide, static l => new EngineContender(l, AlgorithmKind.TokenBucket));

    [Benchmark(OperationsPerInvoke = Decisions)]
    public long FixedWindow() => Run(Keys, Limit.Wide, static l => new EngineContender(l, AlgorithmKind.FixedWindow));

    [Benchmark(OperationsPerInvoke = Decisions)]
    public long SlidingCounter() => Run(Keys, Limit.Wide, static l => new EngineContender(l, AlgorithmKind.SlidingCounter));

    [Benchmark(OperationsPerInvoke = Decisions)]
    public long SlidingWindow() => Run(Keys, Limit.Wide, static l => new EngineContender(l, AlgorithmKind.SlidingWindow));

    [Benchmark(OperationsPerInvoke = Decisions)]
    public long TokenBucketOneClockReadingPer100() => Run(Keys, Limit.Wide, static l => new BatchContender(l, AlgorithmKind.TokenBucket));
}

/// <summary>What when all threads want the same key?</summary>
public class HotKeyBenchmarks : ContenderBenchmarks
{
    [Benchmark(Baseline = true, OperationsPerInvoke = Decisions)]
    public long Partitioned() => Run(1, Limit.Hot, static l => new PartitionedContender(l, timerPerKey: false));

    [Benchmark(OperationsPerInvoke = Decisions)]
    public long LockAndDictionary() => Run(1, Limit.Hot, static l => new LockedContender(l));

    [Benchmark(OperationsPerInvoke = Decisions)]
    public long TokenBucket() => Run(1, Limit.Hot, static l => new EngineContender(l, AlgorithmKind.TokenBucket));

    [Benchmark(OperationsPerInvoke = Decisions)]
    public long SlidingWindow() => Run(1, Limit.Hot, static l => new EngineContender(l, AlgorithmKind.SlidingWindow));
}

/// <summary>Is refusing as cheap as allowing? It writes nothing.</summary>
public class RefusalBenchmarks : ContenderBenchmarks
{
    private const int Keys = 100_000;

    [Benchmark(Baseline = true, OperationsPerInvoke = Decisions)]
    public long Partitioned() => Run(Keys, Limit.Spent, static l => new PartitionedContender(l, timerPerKey: false));

    [Benchmark(OperationsPerInvoke = Decisions)]
    public long TokenBucket() => Run(Keys, Limit.Spent, static l => new EngineContender(l, AlgorithmKind.TokenBucket));

    [Benchmark(OperationsPerInvoke = Decisions)]
    public long SlidingWindow() => Run(Keys, Limit.Spent, static l => new EngineContender(l, AlgorithmKind.SlidingWindow));
}
