using BenchmarkDotNet.Attributes;

namespace Weir.Benchmarks.Questions;

/// <summary>What does a counter's 128-bit identity cost, beside the 32-bit hash that a dictionary of strings computes?</summary>
public class HasherBenchmarks
{
    private readonly CounterHasher _hasher = new();
    private byte[] _label = [];
    private string _key = "";
    private CounterId _start;

    [Params(8, 22, 64, 512)]
    public int KeyBytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _key = new string('k', KeyBytes);
        _label = CounterLabel.OfKey(_key);
        _start = _hasher.Start(Limit.Wide.ToRule(AlgorithmKind.TokenBucket));
    }

    [Benchmark(Baseline = true)]
    public int StringHashCode() => StringComparer.Ordinal.GetHashCode(_key);

    [Benchmark]
    public CounterId CounterId() => _hasher.Combine(_start, _label);
}
