using BenchmarkDotNet.Attributes;

namespace Weir.Benchmarks.Questions;

/// <summary>What do three limits in one all-or-nothing decision cost, beside three decisions one after the other?</summary>
public class SeveralLimitsBenchmarks
{
    private const int Requests = 1 << 14;

    private readonly MemoryEngine _engine = new();
    private readonly Decision[] _decisions = new Decision[3];
    private Charge[][] _requests = [];

    [Params(AlgorithmKind.TokenBucket, AlgorithmKind.SlidingWindow)]
    public AlgorithmKind Algorithm { get; set; }

    // Per user, per tenant and for all: the shape of most rule trees.
    [GlobalSetup]
    public void Setup()
    {
        var hasher = new CounterHasher();
        var rules = Array.ConvertAll(["user", "tenant", "all"], name => (name == "user" ? Limit.Wide : Limit.Hot).ToRule(Algorithm, name));
        _requests = new Charge[Requests][];
        for (var i = 0; i < Requests; i++)
        {
            string[] keys = [$"user-{i:d6}", $"tenant-{i % 100:d3}", "all"];
            _requests[i] = [.. keys.Select((key, k) => ChargeFor(hasher, rules[k], key))];
        }
        new Random(1).Shuffle(_requests);
    }

    [GlobalCleanup]
    public void Cleanup() => _engine.Dispose();

    [Benchmark(Baseline = true, OperationsPerInvoke = Requests)]
    public long OneAfterTheOther()
    {
        var allowed = 0L;
        foreach (var charges in _requests)
        {
            var now = _engine.Clock.NowMicros;
            foreach (ref readonly var charge in charges.AsSpan())
                allowed += _engine.Decide(charge, now).IsAllowed ? 1 : 0;
        }
        return allowed;
    }

    [Benchmark(OperationsPerInvoke = Requests)]
    public long Together()
    {
        var allowed = 0L;
        foreach (var charges in _requests)
            allowed += _engine.Decide(charges, _decisions, _engine.Clock.NowMicros).IsAllowed ? 1 : 0;
        return allowed;
    }

    private static Charge ChargeFor(CounterHasher hasher, Rule rule, string key)
    {
        var label = CounterLabel.OfKey(key);
        return new Charge(rule, hasher.Combine(hasher.Start(rule), label), 1, label);
    }
}
