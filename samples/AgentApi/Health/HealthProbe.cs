using AgentApi.Cache;
using AgentApi.Configuration;
using AgentApi.Data;
using AgentApi.Hosting;
using AgentApi.Limiting;
using Npgsql;

namespace AgentApi.Health;

/// <summary>How things are: for each dependency null, or what is wrong with it.</summary>
internal sealed record HealthReport(string? Database, string? Cache, string? Limiter)
{
    public bool IsWell => Database is null && Cache is null;
}

/// <summary>
/// Asks the dependencies, at most once a second however many ask for it: one caller probes, the others wait for what it finds. Health checks
/// of any number of balancers so cost a second of one connection's time at most.
/// </summary>
internal sealed class HealthProbe(Database database, RedisCache cache, AgentConfig config, AgentState state, TimeProvider time, ILogger<HealthProbe> log, LimiterProbe? limiter = null) : IDisposable
{
    private static readonly TimeSpan Believed = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private volatile Finding? _last;

    /// <summary>Whether somebody has put the file there that makes this instance unhealthy.</summary>
    public bool IsForced => config.FailHealthFile is { } file && File.Exists(file);

    /// <summary>Whether the instance stops.</summary>
    public bool IsStopping => state.IsStopping;

    /// <summary>How things are, or were less than a second ago.</summary>
    public async Task<HealthReport> LookAsync(CancellationToken cancellation)
    {
        if (Fresh() is { } known)
            return known;
        await _turn.WaitAsync(cancellation);
        try
        {
            if (Fresh() is { } found)
                return found;
            var report = await ProbeAsync();
            Tell(report);
            _last = new Finding(report, time.GetTimestamp());
            return report;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private HealthReport? Fresh() => _last is { } last && time.GetElapsedTime(last.At) < Believed ? last.Report : null;

    // Not with the caller's token: others wait for the same finding.
    private async Task<HealthReport> ProbeAsync()
    {
        using var patience = new CancellationTokenSource(Patience, time);
        var (first, second, third) = (ProbeDatabaseAsync(patience.Token), ProbeCacheAsync(patience.Token), ProbeLimiterAsync(patience.Token));
        return new HealthReport(await first, await second, await third);
    }

    private async Task<string?> ProbeDatabaseAsync(CancellationToken cancellation)
    {
        try
        {
            await database.RunAsync(
                async connection =>
                {
                    await using var command = new NpgsqlCommand("select 1", connection);
                    return await command.ExecuteScalarAsync(cancellation);
                },
                cancellation);
            return null;
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException or TimeoutException)
        {
            return Database.Describe(e);
        }
    }

    private async Task<string?> ProbeCacheAsync(CancellationToken cancellation)
    {
        try
        {
            return await cache.ProbeAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            return "It does not answer in time.";
        }
    }

    private async Task<string?> ProbeLimiterAsync(CancellationToken cancellation)
    {
        try
        {
            return limiter is null ? null : await limiter.ProbeAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            return "it does not answer in time";
        }
    }

    private void Tell(HealthReport now)
    {
        var before = _last?.Report ?? new HealthReport(null, null, null);
        Tell("database", before.Database, now.Database);
        Tell("cache", before.Cache, now.Cache);
        Tell("limiter", before.Limiter, now.Limiter);
    }

    private void Tell(string what, string? before, string? now)
    {
        if (now is not null && before is null)
            log.LogWarning("{What} is down: {Reason}", what, now);
        else if (now is null && before is not null)
            log.LogInformation("{What} is back", what);
    }

    private sealed record Finding(HealthReport Report, long At);
}
