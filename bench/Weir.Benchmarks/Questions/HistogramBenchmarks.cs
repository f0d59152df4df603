using System.Diagnostics.Metrics;
using BenchmarkDotNet.Attributes;
using Weir.Server.Metrics;

namespace Weir.Benchmarks.Questions;

/// <summary>What does it cost to record a check, beside one interlocked addition and beside .NET's own histogram with a listener?</summary>
public class HistogramBenchmarks
{
    private readonly LatencyHistogram _histogram = new(TimeProvider.System);
    private readonly NodeMetrics _metrics = new(TimeProvider.System, static () => 0);
    private readonly Rule _rule = Limit.Wide.ToRule(AlgorithmKind.TokenBucket);
    private readonly Meter _meter = new("Weir.Benchmarks");
    private readonly MeterListener _listener = new();
    private Histogram<double>? _standard;
    private double _sum;
    private long _ticks;
    private long _counter;

    [GlobalSetup]
    public void Setup()
    {
        _standard = _meter.CreateHistogram<double>("duration");
        _listener.SetMeasurementEventCallback<double>((_, value, _, _) => _sum += value);
        _listener.EnableMeasurementEvents(_standard);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _listener.Dispose();
        _meter.Dispose();
    }

    [Benchmark(Baseline = true)]
    public long InterlockedIncrement() => Interlocked.Increment(ref _counter);

    [Benchmark]
    public void LatencyHistogram() => _histogram.RecordTicks(_ticks++ & 0xFFFF);

    [Benchmark]
    public void StandardHistogram() => _standard!.Record((_ticks++ & 0xFFFF) * 1e-9);

    [Benchmark]
    public void WholeCheck() => _metrics.RecordCheck(_rule, allowed: true, _metrics.Start());
}
