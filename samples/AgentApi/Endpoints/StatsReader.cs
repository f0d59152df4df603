using System.Globalization;
using AgentApi.Cache;
using AgentApi.Data;
using AgentApi.Hosting;
using AgentApi.Http;
using Npgsql;
using Weir.Resp;

namespace AgentApi.Endpoints;

/// <summary>Memory and connections, here and at the stores. What a store does not tell is null.</summary>
internal sealed class StatsReader(Database database, RedisCache cache, AgentState state, TimeProvider time)
{
    private readonly long _startedAt = time.GetTimestamp();

    public async Task<StatsAnswer> ReadAsync(CancellationToken cancellation)
    {
        var memory = GC.GetGCMemoryInfo();
        return new StatsAnswer(
            (long)time.GetElapsedTime(_startedAt).TotalSeconds,
            new MemoryStats(Environment.WorkingSet, GC.GetTotalMemory(forceFullCollection: false), memory.TotalAvailableMemoryBytes),
            new RequestStats(state.Requests, state.Active),
            await ReadDatabaseAsync(cancellation),
            await ReadCacheAsync(cancellation));
    }

    private async Task<ConnectionStats> ReadDatabaseAsync(CancellationToken cancellation)
    {
        try
        {
            return await database.RunAsync(
                async connection =>
                {
                    const string Sql = "select (select count(*) from pg_stat_activity where datname = current_database()), current_setting('max_connections')::bigint";
                    await using var command = new NpgsqlCommand(Sql, connection);
                    await using var reader = await command.ExecuteReaderAsync(cancellation);
                    await reader.ReadAsync(cancellation);
                    return new ConnectionStats(reader.GetInt64(0), reader.GetInt64(1));
                },
                cancellation);
        }
        catch (Exception e) when (Database.IsUnavailable(e))
        {
            return new ConnectionStats(null, null);
        }
    }

    private async Task<ConnectionStats> ReadCacheAsync(CancellationToken cancellation)
    {
        try
        {
            using var clients = await cache.SendAsync("", ["INFO", "clients"], cancellation);
            var lines = clients.GetString() ?? "";
            return new ConnectionStats(Field(lines, "connected_clients"), Field(lines, "maxclients"));
        }
        catch (Exception e) when (e is CacheUnavailableException or RespServerException)
        {
            return new ConnectionStats(null, null);
        }
    }

    private static long? Field(string lines, string name)
    {
        foreach (var line in lines.Split("\r\n"))
        {
            if (line.StartsWith(name + ":", StringComparison.Ordinal))
                return long.Parse(line.AsSpan(name.Length + 1), CultureInfo.InvariantCulture);
        }
        return null;
    }
}

/// <summary>What <c>/stats</c> says.</summary>
internal sealed record StatsAnswer(long UptimeSeconds, MemoryStats Memory, RequestStats Requests, ConnectionStats Database, ConnectionStats Cache) : Answer;

/// <summary>This process's memory.</summary>
internal sealed record MemoryStats(long WorkingSetBytes, long HeapBytes, long AvailableBytes);

/// <summary>Requests since the start, and now.</summary>
internal sealed record RequestStats(long Total, long Active);

/// <summary>Connections of a store, everyone's, and how many it takes.</summary>
internal sealed record ConnectionStats(long? Connections, long? MaxConnections);
