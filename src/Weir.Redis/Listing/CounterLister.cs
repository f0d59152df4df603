using System.Text;
using System.Text.Json;
using Weir.Resp;

namespace Weir.Redis;

/// <summary>Lists the counters of all nodes a page at a time, by steps of Redis' own scanning.</summary>
internal sealed class CounterLister(EngineContext engine, Shard[] shards)
{
    // However sparse the counters that are asked for, a page ends after so many steps.
    private const int StepsPerPage = 32;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, Rule?> _rules = new(StringComparer.Ordinal);
    private readonly List<CounterView> _page = [];

    /// <summary>A place in the listing: a shard, a class, the present generation or the one before, and Redis' own cursor in it.</summary>
    private readonly record struct Place(int Shard, int Class, int Back, long Cursor)
    {
        private const int ShardBits = 4;
        private const int ClassBits = 3;

        public static Place Of(long cursor) => new(
            (int)(cursor & ((1 << ShardBits) - 1)), (int)((cursor >> ShardBits) & ((1 << ClassBits) - 1)), (int)((cursor >> (ShardBits + ClassBits)) & 1),
            cursor >> (ShardBits + ClassBits + 1));

        public long Number => (Cursor << (ShardBits + ClassBits + 1)) | ((long)Back << (ShardBits + ClassBits)) | ((long)Class << ShardBits) | (long)Shard;

        public Place NextHash => Back == 0 ? this with { Back = 1, Cursor = 0 }
            : Class < StorageClasses.Count - 1 ? this with { Back = 0, Class = Class + 1, Cursor = 0 }
            : new Place(Shard + 1, 0, 0, 0);
    }

    public async Task<CounterPage> ListAsync(long cursor, int count, bool blockedOnly)
    {
        if (cursor == 0)
        {
            // What this node has decided just now is in its own listing.
            foreach (var shard in shards)
                await shard.SendNamesAsync();
        }
        var place = Place.Of(cursor);
        for (var step = 0; place.Shard < shards.Length; step++)
        {
            if (_page.Count >= count || step >= StepsPerPage * shards.Length)
                return new CounterPage(_page, place.Number);
            var next = await ScanAsync(place, Math.Clamp(count, 10, 1_000), blockedOnly);
            place = next == 0 ? place.NextHash : place with { Cursor = next };
        }
        return new CounterPage(_page, 0);
    }

    private async Task<long> ScanAsync(Place place, int count, bool blockedOnly)
    {
        var shard = shards[place.Shard];
        var now = shard.NowMicros;
        var present = now / StorageClasses.MicrosOf(place.Class);
        var hash = Name(engine.Keys.Counters(place.Shard, place.Class), present - place.Back);
        var (next, counters) = await ReadAsync(shard, RespCommand.Create("HSCAN", hash, $"{place.Cursor}", "COUNT", $"{count}"));
        if (place.Back == 1 && counters.Count > 0)
            await DropMovedOnAsync(shard, Name(engine.Keys.Counters(place.Shard, place.Class), present), counters);
        if (counters.Count == 0)
            return next;
        var names = await NamesAsync(shard, place, now, counters);
        for (var i = 0; i < counters.Count; i++)
        {
            if (names[i] is { } name && await RuleAsync(shard, place, now, name.AsMemory(0, 8)) is { } rule)
                AddView(counters[i].Id, counters[i].State, rule, name.AsSpan(8), now, blockedOnly);
        }
        return next;
    }

    private void AddView(byte[] id, byte[] state, Rule rule, ReadOnlySpan<byte> label, long now, bool blockedOnly)
    {
        if (!StoredCounter.TryRead(state, rule, now, out var used, out var look, out var next))
            return;
        var asked = next.Decide(1);
        if (!blockedOnly || asked.Outcome == Outcome.Refused)
            _page.Add(new CounterView(Batch.ReadId(id), CounterLabel.Format(label), used, look.Look(), asked));
    }

    // A counter that was charged in the present generation is listed there.
    private async Task DropMovedOnAsync(Shard shard, string present, List<(byte[] Id, byte[] State)> counters)
    {
        var there = await ValuesAsync(shard, present, counters.ConvertAll(static c => c.Id));
        for (var i = counters.Count - 1; i >= 0; i--)
        {
            if (there[i] is not null)
                counters.RemoveAt(i);
        }
    }

    private async Task<byte[]?[]> NamesAsync(Shard shard, Place place, long now, List<(byte[] Id, byte[] State)> counters)
    {
        var storageClass = Math.Max(CounterNames.LeastClass, place.Class);
        var generation = now / StorageClasses.MicrosOf(storageClass);
        var prefix = engine.Keys.Names(place.Shard, storageClass);
        var ids = counters.ConvertAll(static c => c.Id);
        var names = await ValuesAsync(shard, Name(prefix, generation), ids);
        if (Array.TrueForAll(names, static n => n is not null))
            return names;
        var older = await ValuesAsync(shard, Name(prefix, generation - 1), ids);
        for (var i = 0; i < names.Length; i++)
            names[i] ??= older[i];
        return names;
    }

    private async Task<Rule?> RuleAsync(Shard shard, Place place, long now, ReadOnlyMemory<byte> key)
    {
        var known = Convert.ToHexString(key.Span);
        if (_rules.TryGetValue(known, out var rule))
            return rule;
        var storageClass = Math.Max(CounterNames.LeastClass, place.Class);
        var generation = now / StorageClasses.MicrosOf(storageClass);
        var prefix = engine.Keys.Rules(place.Shard, storageClass);
        for (var back = 0; back < 2 && rule is null; back++)
        {
            if ((await ValuesAsync(shard, Name(prefix, generation - back), [key.ToArray()]))[0] is { } json)
                rule = JsonSerializer.Deserialize(json, SharedJson.Default.RuleText)?.ToRule();
        }
        return _rules[known] = rule;
    }

    private async Task<byte[]?[]> ValuesAsync(Shard shard, string hash, List<byte[]> fields)
    {
        var parts = new ReadOnlyMemory<byte>[fields.Count + 2];
        (parts[0], parts[1]) = (Encoding.ASCII.GetBytes("HMGET"), Encoding.ASCII.GetBytes(hash));
        for (var i = 0; i < fields.Count; i++)
            parts[i + 2] = fields[i];
        using var reply = await SendAsync(shard, RespCommand.Create(parts));
        var reader = reply.Root();
        var values = new byte[]?[reader.Count];
        for (var i = 0; i < values.Length; i++)
        {
            reader.Read();
            values[i] = reader.IsNull ? null : reader.Bytes.ToArray();
        }
        return values;
    }

    private async Task<(long Next, List<(byte[] Id, byte[] State)> Counters)> ReadAsync(Shard shard, RespCommand scan)
    {
        using var reply = await SendAsync(shard, scan);
        var reader = reply.Root();
        reader.Read();
        var next = reader.GetInt64();
        reader.Read();
        var counters = new List<(byte[], byte[])>(reader.Count / 2);
        for (var left = reader.Count; left > 0; left -= 2)
        {
            reader.Read();
            var id = reader.Bytes.ToArray();
            reader.Read();
            counters.Add((id, reader.Bytes.ToArray()));
        }
        return (next, counters);
    }

    private async Task<RespReply> SendAsync(Shard shard, RespCommand command)
    {
        var reply = await engine.Client.SendAsync(command, engine.Keys.Slots[shard.Index], Timeout);
        if (reply.IsValue)
            return reply;
        var reason = reply.HasReply ? DegradedReason.Error : DegradedReason.Unavailable;
        reply.Dispose();
        throw new EngineUnavailableException(reason);
    }

    private static string Name(string prefix, long generation) => $"{prefix}{generation}";
}
