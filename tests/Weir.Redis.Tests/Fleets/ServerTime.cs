using System.Globalization;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Fleets;

/// <summary>The time that a server's only shard goes by.</summary>
internal static class ServerTime
{
    private const string Record = "weir:{0}:clock";

    /// <summary>
    /// Lets the shard's time be ahead of the server's clock. To nodes it looks as if the clock had shown so much more for a moment, and were right again.
    /// </summary>
    public static void Forward(RedisServer server, long micros)
    {
        var reply = server.Call(
            "EVAL",
            """
            local record = redis.call('GET', KEYS[1])
            local born, seen, seen_at = struct.unpack('<ddd', record)
            local clock = redis.call('TIME')
            local real = clock[1] * 1000000 + clock[2]
            local now = (real >= seen and real or seen + math.min((real - seen_at) * 15 / 16, 10000000)) + ARGV[1]
            return redis.call('SET', KEYS[1], struct.pack('<ddd', born, math.floor(now), real) .. string.sub(record, 25), 'KEEPTTL')
            """,
            "1", Record, micros.ToString(CultureInfo.InvariantCulture));
        Assert.Equal("OK", reply.Text);
    }
}
