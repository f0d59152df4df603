using BenchmarkDotNet.Attributes;
using Weir.Server.Metrics;

namespace Weir.Benchmarks.Questions;

/// <summary>What does it cost to record a check, beside one interlocked addition?</summary>
public class HistogramBenchmarks
{
    private readonly LatencyHistogram _histogram = new(TimeProvider.System);
    private readonly NodeMetrics _metrics = new(TimeProvider.System, static () => 0);
    private readonly Rule _rule = Limit.Wide.ToRule(AlgorithmKind.TokenBucket);
    private long _ticks;
    private long _counter;

    [Benchmark(Baseline = true)]
    public long InterlockedIncrement() => Interlocked.Increment(ref _counter);

    [Benchmark]
    public void LatencyHistogram() => _histogram.RecordTicks(_ticks++ & 0xFFFF);

    [Benchmark]
    public void WholeCheck() => _metrics.RecordCheck(_rule, allowed: true, _metrics.Start());
}
