using AgentApi.Configuration;
using AgentApi.Data;
using Npgsql;

namespace AgentApi.Hosting;

/// <summary>Waits for the database, for a while, and brings it up to date.</summary>
internal sealed class DatabaseStart(Migrator migrator, UserStore users, AgentConfig config, TimeProvider time, ILogger<DatabaseStart> log)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Migrates, and makes the users that have keys.</summary>
    /// <exception cref="StartException">The database did not come within the time, or can never be used like this.</exception>
    /// <exception cref="OperationCanceledException">The process is told to stop.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        using var patience = new CancellationTokenSource(config.StartTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, patience.Token);
        Exception? last = null;
        try
        {
            while (true)
            {
                last = await TryAsync(last, either.Token);
                if (last is null)
                    return;
                await Task.Delay(Pause, time, either.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or NpgsqlException && patience.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            throw new StartException(
                $"database {config.Database}: {Database.Describe(last ?? e)}, for {(int)config.StartTimeout.TotalSeconds} s. Start it, or name another with DATABASE_URL or DB_HOST.", e);
        }
    }

    private async Task<Exception?> TryAsync(Exception? before, CancellationToken cancellation)
    {
        try
        {
            await migrator.RunAsync(cancellation);
            await users.EnsureAsync(config.ApiKeys.Users, cancellation);
            return null;
        }
        catch (NpgsqlException e) when (IsWorthWaiting(e) && !cancellation.IsCancellationRequested)
        {
            if (before is null)
                log.LogInformation("waiting for database {Database}: {Reason}", config.Database, Database.Describe(e));
            return e;
        }
        catch (PostgresException e) when (!IsWorthWaiting(e))
        {
            throw new StartException($"database {config.Database}: {Database.Describe(e)}: {e.MessageText}", e);
        }
    }

    // A wrong password does not become right by waiting.
    private static bool IsWorthWaiting(NpgsqlException e) => e is not PostgresException p || p.IsTransient
        || p.SqlState is PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown;
}
