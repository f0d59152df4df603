using System.Runtime.InteropServices;

namespace Weir.Benchmarks.Contenders;

/// <summary>What one writes in ten lines: a dictionary of token buckets under a lock, refilled when asked.</summary>
internal sealed class LockedContender(Limit limit) : Contender
{
    private struct Bucket
    {
        public double Tokens;
        public long RefilledAt;
    }

    private readonly Dictionary<string, Bucket> _buckets = [];
    private readonly Lock _lock = new();
    private readonly double _tokensPerTick = limit.Permits / (limit.Window.TotalSeconds * TimeProvider.System.TimestampFrequency);

    public override long Decide(ReadOnlySpan<Request> requests)
    {
        var allowed = 0L;
        foreach (ref readonly var request in requests)
            allowed += TryTake(request.Key) ? 1 : 0;
        return allowed;
    }

    private bool TryTake(string key)
    {
        lock (_lock)
        {
            var now = TimeProvider.System.GetTimestamp();
            ref var bucket = ref CollectionsMarshal.GetValueRefOrAddDefault(_buckets, key, out var exists);
            bucket.Tokens = exists ? Math.Min(limit.Permits, bucket.Tokens + ((now - bucket.RefilledAt) * _tokensPerTick)) : limit.Permits;
            bucket.RefilledAt = now;
            if (bucket.Tokens < 1)
                return false;
            bucket.Tokens--;
            return true;
        }
    }
}
