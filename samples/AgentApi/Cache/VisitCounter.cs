using System.Globalization;
using AgentApi.Configuration;
using Weir.Resp;

namespace AgentApi.Cache;

/// <summary>How many requests an instance answered, and when it was last heard of.</summary>
internal sealed record InstanceVisits(string Instance, long Requests, DateTime LastSeen);

/// <summary>
/// Counts in Redis: <c>visits</c> over all instances, <c>requests:&lt;instance&gt;</c> for each. Instances come and go, so each one's counter
/// ends a month after it was last used.
/// </summary>
internal sealed class VisitCounter(RedisCache cache, AgentConfig config, TimeProvider time)
{
    private const string Visits = "visits";
    private const string Instances = "instances";
    private const int RememberedDays = 30;
    private const int MaxListed = 100;

    private static readonly string RememberedSeconds = $"{RememberedDays * 86_400}";

    private readonly string _requests = RequestsOf(config.Instance);
    private long _announcedAt = long.MinValue;

    /// <summary>Counts a visit.</summary>
    /// <returns>How many there were, this one included.</returns>
    public async Task<long> CountVisitAsync(CancellationToken cancellation)
    {
        using var reply = await cache.SendAsync(Visits, ["INCR", Visits], cancellation);
        return reply.GetInt64();
    }

    /// <summary>Counts a request of this instance. When Redis is away, it is not counted.</summary>
    public async Task CountRequestAsync()
    {
        try
        {
            using var reply = await cache.SendAsync(_requests, ["INCR", _requests]);
            await AnnounceAsync();
        }
        catch (Exception e) when (e is CacheUnavailableException or RespServerException)
        {
            // A count is not worth a request.
        }
    }

    /// <summary>All visits, and the requests of every instance of the last month.</summary>
    public async Task<(long Visits, List<InstanceVisits> Instances)> ReadAsync(CancellationToken cancellation)
    {
        using var visits = await cache.SendAsync(Visits, ["GET", Visits], cancellation);
        using var listed = await cache.SendAsync(Instances, ["ZREVRANGE", Instances, "0", $"{MaxListed - 1}", "WITHSCORES"], cancellation);
        var found = new List<InstanceVisits>();
        foreach (var (name, seen) in Pairs(listed))
        {
            using var requests = await cache.SendAsync(RequestsOf(name), ["GET", RequestsOf(name)], cancellation);
            found.Add(new InstanceVisits(name, Number(requests.GetString()), DateTimeOffset.FromUnixTimeSeconds(seen).UtcDateTime));
        }
        return (Number(visits.GetString()), found);
    }

    // Once a minute is enough to know who lives.
    private async Task AnnounceAsync()
    {
        var (now, last) = (time.GetUtcNow().ToUnixTimeSeconds(), Interlocked.Read(ref _announcedAt));
        if (now < last + 60 || Interlocked.CompareExchange(ref _announcedAt, now, last) != last)
            return;
        foreach (var arguments in new string[][]
        {
            ["ZADD", Instances, $"{now}", config.Instance],
            ["ZREMRANGEBYSCORE", Instances, "-inf", $"{now - (RememberedDays * 86_400)}"],
            ["EXPIRE", Instances, RememberedSeconds],
            ["EXPIRE", _requests, RememberedSeconds],
        })
        {
            using var reply = await cache.SendAsync(arguments[1], arguments);
        }
    }

    private static string RequestsOf(string instance) => $"requests:{instance}";

    private static long Number(string? text) => text is null ? 0 : long.Parse(text, CultureInfo.InvariantCulture);

    // RESP2 gives names and scores as one list of texts, RESP3 as pairs of a text and a number.
    private static List<(string Name, long Seen)> Pairs(RespReply reply)
    {
        var flat = new List<string>();
        var reader = reply.Root();
        while (reader.Read())
        {
            if (reader.Type != RespType.Array)
                flat.Add(reader.GetString() ?? "");
        }
        return [.. flat.Chunk(2).Select(static p => (p[0], (long)double.Parse(p[1], CultureInfo.InvariantCulture)))];
    }
}
