using System.Globalization;

namespace AgentApi.Cache;

/// <summary>Where a user and the assistant were: which conversation, how many questions in this session, since when.</summary>
internal sealed record Session(string User, Guid? Conversation, long Messages, DateTime StartedAt, DateTime LastSeenAt);

/// <summary>
/// Sessions in Redis: a hash per user under <c>session:&lt;user&gt;</c> that ends when it was not used for a day. All instances share them.
/// </summary>
internal sealed class SessionStore(RedisCache cache, TimeProvider time)
{
    private const string LifetimeSeconds = "86400";

    // One script, so that a session is never left without its end.
    private const string Touch = """
        redis.call('HSETNX', KEYS[1], 'started', ARGV[1])
        redis.call('HSET', KEYS[1], 'conversation', ARGV[2], 'seen', ARGV[1])
        redis.call('HINCRBY', KEYS[1], 'messages', ARGV[3])
        return redis.call('EXPIRE', KEYS[1], ARGV[4])
        """;

    /// <summary>Notes that the user was in a conversation, and how many questions they asked there just now: 0 or 1.</summary>
    public async Task TouchAsync(string user, Guid conversation, int messages, CancellationToken cancellation)
    {
        var (key, now) = (KeyOf(user), $"{time.GetUtcNow().ToUnixTimeMilliseconds()}");
        using var reply = await cache.SendAsync(key, ["EVAL", Touch, "1", key, now, $"{conversation}", $"{messages}", LifetimeSeconds], cancellation);
    }

    /// <summary>Reads a user's session; null when there is none.</summary>
    public async Task<Session?> FindAsync(string user, CancellationToken cancellation)
    {
        using var reply = await cache.SendAsync(KeyOf(user), ["HMGET", KeyOf(user), "conversation", "messages", "started", "seen"], cancellation);
        var reader = reply.Root();
        var values = new List<string?>();
        while (reader.Read())
            values.Add(reader.GetString());
        return values is [var conversation, var messages, { } started, { } seen]
            ? new Session(user, Guid.TryParse(conversation, out var id) ? id : null, messages is null ? 0 : long.Parse(messages, CultureInfo.InvariantCulture), Instant(started), Instant(seen))
            : null;
    }

    private static string KeyOf(string user) => $"session:{user}";

    private static DateTime Instant(string millis) => DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(millis, CultureInfo.InvariantCulture)).UtcDateTime;
}
