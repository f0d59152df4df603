using System.Text;
using Weir.Resp;

namespace Weir.Redis;

/// <content>Resetting and listing counters.</content>
public sealed partial class RedisEngine
{
    // Other nodes believe a refusal of a reset counter until they hear of the new era: with their next reply, or their next look at the shard's record.
    private static readonly TimeSpan UntilHeard = TimeSpan.FromMilliseconds(300);

    /// <inheritdoc />
    /// <remarks>When it returns, no node refuses from memory what the reset would allow.</remarks>
    /// <exception cref="EngineUnavailableException">Redis cannot be asked.</exception>
    public async ValueTask<bool> ResetAsync(CounterId id)
    {
        var shard = ShardOf(id);
        var keys = new List<ReadOnlyMemory<byte>> { Encoding.ASCII.GetBytes(_context.Keys.Record(shard.Index)) };
        for (var i = 0; i < StorageClasses.Count; i++)
        {
            var generation = shard.NowMicros / StorageClasses.MicrosOf(i);
            for (var offset = -1; offset <= 1; offset++)
                keys.Add(Encoding.ASCII.GetBytes($"{_context.Keys.Counters(shard.Index, i)}{generation + offset}"));
        }
        var count = keys.Count;
        var field = new byte[16];
        Batch.WriteId(field, id);
        keys.Add(field);
        using var reply = await shard.RunAsync(Script.Reset, count, keys);
        if (!reply.IsValue)
            throw new EngineUnavailableException(reply.HasReply ? DegradedReason.Error : DegradedReason.Unavailable);
        shard.Memory.BeginEra();
        shard.Memory.Drop(id);
        if (reply.GetInt64() == 0)
            return false;
        if (shard.Memory.Refuses)
            await Task.Delay(UntilHeard);
        return true;
    }

    /// <inheritdoc />
    /// <remarks>
    /// A page is a step of Redis' own scanning, which holds up nobody. Counters whose name has not reached Redis yet, or not at all in a flood of new ones, are counted
    /// but not listed.
    /// </remarks>
    /// <exception cref="EngineUnavailableException">Redis cannot be asked.</exception>
    public async ValueTask<CounterPage> ListAsync(long cursor, int count, bool blockedOnly)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(cursor);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, 10_000);
        var lister = new CounterLister(_context, _shards);
        return await lister.ListAsync(cursor, count, blockedOnly);
    }
}
