using System.Security.Cryptography;
using System.Text.Json;
using Weir.Resp;

namespace Weir.Redis;

/// <content>What listings need and decisions do not: names of counters and how many there are.</content>
internal sealed partial class Shard
{
    private const int NamesPerScript = 100;

    // People wait for a listing or a reset longer than callers for a decision.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Dictionary<Rule, byte[]> _ruleKeys = [];

    private readonly SemaphoreSlim _naming = new(1, 1);

    /// <summary>Sends the names that wait.</summary>
    public async Task SendNamesAsync()
    {
        await _naming.WaitAsync();
        try
        {
            var names = new List<(Rule Rule, CounterId Id, byte[] Label, int Class)>();
            while (Names.TryTake(out var name))
                names.Add(name);
            foreach (var group in names.GroupBy(static n => n.Class))
            {
                foreach (var chunk in group.Chunk(NamesPerScript))
                    await SendNamesAsync(group.Key, chunk);
            }
        }
        finally
        {
            _naming.Release();
        }
    }

    private async Task SendNamesAsync(int storageClass, (Rule Rule, CounterId Id, byte[] Label, int Class)[] names)
    {
        var length = StorageClasses.MicrosOf(storageClass);
        var generation = NowMicros / length;
        var parts = new List<ReadOnlyMemory<byte>>
        {
            Text($"{_engine.Keys.Names(Index, storageClass)}{generation}"),
            Text($"{_engine.Keys.Rules(Index, storageClass)}{generation}"),
            // A counter of this generation can matter until the next one ends.
            Text($"{2 * length / 1000}"),
            Text($"{names.Length}"),
        };
        foreach (var name in names)
        {
            var field = new byte[16];
            Batch.WriteId(field, name.Id);
            parts.Add(field);
            parts.Add((byte[])[.. KeyOf(name.Rule), .. name.Label]);
        }
        foreach (var rule in names.Select(static n => n.Rule).Distinct())
        {
            parts.Add(KeyOf(rule));
            parts.Add(Text(JsonOf(rule)));
        }
        // A name that does not arrive is missing from listings until it is given again.
        using var reply = await RunAsync(Script.Names, keys: 2, parts);
    }

    /// <summary>Runs a script on keys of this shard.</summary>
    /// <returns>The reply, to be disposed of.</returns>
    public async Task<RespReply> RunAsync(Script script, int keys, List<ReadOnlyMemory<byte>> parts)
    {
        _engine.Counters.Add(EngineCount.Scripts);
        var reply = await _engine.Client.SendAsync(Call("EVALSHA", script.Hash, keys, parts), Slot, Patience);
        // The server says by this that it did not run.
        if (reply.ErrorKind != RespErrorKind.NoScript)
            return reply;
        reply.Dispose();
        return await _engine.Client.SendAsync(Call("EVAL", script.Text, keys, parts), Slot, Patience);
    }

    private static RespCommand Call(string command, byte[] script, int keys, List<ReadOnlyMemory<byte>> parts) =>
        RespCommand.Create((ReadOnlyMemory<byte>[])[Text(command), script, Text($"{keys}"), .. parts]);

    private static byte[] Text(string text) => System.Text.Encoding.UTF8.GetBytes(text);

    // Names say by eight bytes which rule counts; equal rules have equal ones on every node.
    private byte[] KeyOf(Rule rule)
    {
        if (_ruleKeys.TryGetValue(rule, out var known))
            return known;
        if (_ruleKeys.Count > 1_000)
            _ruleKeys.Clear();
        return _ruleKeys[rule] = SHA256.HashData(Text(JsonOf(rule)))[..8];
    }

    private static string JsonOf(Rule rule) => JsonSerializer.Serialize(RuleText.Of(rule), SharedJson.Default.RuleText);

    private async Task CountAsync()
    {
        var counters = 0L;
        for (var i = 0; i < StorageClasses.Count; i++)
        {
            var generation = NowMicros / StorageClasses.MicrosOf(i);
            for (var back = 0; back < 2; back++)
            {
                using var reply = await _engine.Client.SendAsync(RespCommand.Create("HLEN", $"{_engine.Keys.Counters(Index, i)}{generation - back}"), Slot, ProbeTimeout);
                counters += reply.IsValue ? reply.GetInt64() : 0;
            }
        }
        Counters = counters;
    }
}
