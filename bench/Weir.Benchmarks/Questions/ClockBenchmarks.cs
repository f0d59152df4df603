using BenchmarkDotNet.Attributes;

namespace Weir.Benchmarks.Questions;

/// <summary>What does the decision clock add to the reading of the monotonic clock below it?</summary>
public class ClockBenchmarks
{
    private readonly DecisionClock _clock = new(TimeProvider.System);

    [Benchmark(Baseline = true)]
    public long Timestamp() => TimeProvider.System.GetTimestamp();

    [Benchmark]
    public long UtcNow() => TimeProvider.System.GetUtcNow().UtcTicks;

    [Benchmark]
    public long DecisionClock() => _clock.NowMicros;
}
