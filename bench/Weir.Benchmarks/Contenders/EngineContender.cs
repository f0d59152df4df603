using System.Text;

namespace Weir.Benchmarks.Contenders;

/// <summary>A rule in the memory engine, and what a request needs to become a charge.</summary>
internal abstract class WeirContender : Contender
{
    [ThreadStatic]
    private static byte[]? _scratch;

    private readonly CounterHasher _hasher = new();
    private readonly CounterId _start;
    private readonly Rule _rule;

    protected WeirContender(Limit limit, AlgorithmKind algorithm)
    {
        _rule = limit.ToRule(algorithm);
        _start = _hasher.Start(_rule);
    }

    protected MemoryEngine Engine { get; } = new();

    /// <summary>This thread's room for a label, as a server keeps it.</summary>
    protected static byte[] Scratch => _scratch ??= new byte[1 + RuleBounds.MaxKeyBytes];

    /// <summary>The charge of the label that stands in the scratch.</summary>
    protected Charge ChargeFor(byte[] scratch, int length) =>
        new(_rule, _hasher.Combine(_start, scratch.AsSpan(0, length)), 1, scratch.AsMemory(0, length));

    // The memory engine has always decided by the time it returns.
    protected static bool IsAllowed(ValueTask<Decision> deciding) => deciding.IsCompletedSuccessfully && deciding.Result.IsAllowed;

    public override void Dispose()
    {
        Engine.Dispose();
        base.Dispose();
    }
}

/// <summary>The whole way of a decision: label, identity, clock, counter; through the engine's door.</summary>
internal sealed class EngineContender(Limit limit, AlgorithmKind algorithm) : WeirContender(limit, algorithm)
{
    public override long Decide(ReadOnlySpan<Request> requests)
    {
        ILimiter limiter = Engine;
        var scratch = Scratch;
        var allowed = 0L;
        foreach (ref readonly var request in requests)
        {
            var charge = ChargeFor(scratch, CounterLabel.WriteKey(request.Utf8, scratch));
            allowed += IsAllowed(limiter.DecideAsync(charge)) ? 1 : 0;
        }
        return allowed;
    }
}

/// <summary>As <see cref="EngineContender"/> for callers that hold strings, as the baseline's callers do.</summary>
internal sealed class TranscodingContender(Limit limit, AlgorithmKind algorithm) : WeirContender(limit, algorithm)
{
    public override long Decide(ReadOnlySpan<Request> requests)
    {
        ILimiter limiter = Engine;
        var scratch = Scratch;
        var allowed = 0L;
        foreach (ref readonly var request in requests)
        {
            scratch[0] = 0;
            var charge = ChargeFor(scratch, 1 + Encoding.UTF8.GetBytes(request.Key, scratch.AsSpan(1)));
            allowed += IsAllowed(limiter.DecideAsync(charge)) ? 1 : 0;
        }
        return allowed;
    }
}

/// <summary>As <see cref="EngineContender"/> with one reading of the clock for every hundred decisions, as a batch has.</summary>
internal sealed class BatchContender(Limit limit, AlgorithmKind algorithm) : WeirContender(limit, algorithm)
{
    private const int BatchSize = 100;

    public override long Decide(ReadOnlySpan<Request> requests)
    {
        var scratch = Scratch;
        var allowed = 0L;
        for (var at = 0; at < requests.Length; at += BatchSize)
        {
            var now = Engine.Clock.NowMicros;
            foreach (ref readonly var request in requests.Slice(at, Math.Min(BatchSize, requests.Length - at)))
            {
                var charge = ChargeFor(scratch, CounterLabel.WriteKey(request.Utf8, scratch));
                allowed += Engine.Decide(charge, now).IsAllowed ? 1 : 0;
            }
        }
        return allowed;
    }
}
