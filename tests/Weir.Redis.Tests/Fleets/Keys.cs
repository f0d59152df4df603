using System.Globalization;
using Weir.Resp;

namespace Weir.Redis.Tests.Fleets;

/// <summary>Looks at what nodes leave in Redis.</summary>
internal static class Keys
{
    /// <summary>Every key on every primary ends by itself: one without would stay for ever.</summary>
    public static async Task AllEndAsync(IRespClient client)
    {
        foreach (var primary in client.Primaries)
        {
            foreach (var key in await OfAsync(primary))
            {
                using var left = await primary.SendAsync(RespCommand.Create("PTTL", key), -1);
                // A key may have ended by now.
                Assert.True(left.GetInt64() is > 0 or -2, $"{key} has no end");
            }
        }
    }

    /// <summary>The names of all keys.</summary>
    public static async Task<List<string>> OfAsync(IRespClient client)
    {
        using var reply = await client.SendAsync(RespCommand.Create("KEYS", "*"), -1);
        var reader = reply.Root();
        var keys = new List<string>(reader.Count);
        for (var left = reader.Count; left > 0; left--)
        {
            reader.Read();
            keys.Add(reader.GetString()!);
        }
        return keys;
    }

    /// <summary>Bytes that a server uses.</summary>
    public static async Task<long> UsedMemoryAsync(IRespClient client)
    {
        using var reply = await client.SendAsync(RespCommand.Create("INFO", "memory"), -1);
        var line = reply.GetString()!.Split('\n').First(static l => l.StartsWith("used_memory:", StringComparison.Ordinal));
        return long.Parse(line.AsSpan("used_memory:".Length).Trim(), CultureInfo.InvariantCulture);
    }
}
