using System.Net.Sockets;
using AgentApi.Configuration;
using Npgsql;

namespace AgentApi.Data;

/// <summary>The pool of connections, and what its failures mean. Thread safe.</summary>
internal sealed class Database(DatabaseConfig config) : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source = new NpgsqlDataSourceBuilder(config.ConnectionString).Build();

    /// <summary>Opens a connection.</summary>
    public ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellation) => _source.OpenConnectionAsync(cancellation);

    /// <summary>
    /// Runs work that does nothing when done twice. Connections that rested in the pool while the server was restarted are found dead only
    /// when they are used, so the work is tried once more on a new one.
    /// </summary>
    public async Task<T> RunAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellation)
    {
        try
        {
            await using var connection = await OpenAsync(cancellation);
            return await work(connection);
        }
        catch (NpgsqlException e) when (IsLostConnection(e))
        {
            Forget();
        }
        await using var another = await OpenAsync(cancellation);
        return await work(another);
    }

    /// <summary>Closes what rests in the pool, so that nobody meets a connection that is dead.</summary>
    public void Forget() => _source.Clear();

    /// <summary>Whether the database cannot be used now, rather than having been asked something wrong.</summary>
    public static bool IsUnavailable(Exception e) => e switch
    {
        PostgresException p => p.IsTransient || p.SqlState is
            PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification or PostgresErrorCodes.InvalidCatalogName
            or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.QueryCanceled
            or PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.DiskFull,
        NpgsqlException => true,
        _ => false,
    };

    /// <summary>What is wrong, in words for people and without addresses or names.</summary>
    public static string Describe(Exception e) => e switch
    {
        PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification } => "it refuses the user or the password",
        PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } => "it has no database of that name",
        PostgresException { SqlState: PostgresErrorCodes.TooManyConnections } => "it has no connection left",
        PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow } => "it is starting up or shutting down",
        PostgresException p => $"it answers with error {p.SqlState}",
        _ when IsOrHas<SocketException>(e) is { } socket => socket.SocketErrorCode switch
        {
            SocketError.ConnectionRefused => "nothing listens there",
            SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => "its name is unknown",
            _ => "it cannot be reached",
        },
        _ when IsOrHas<TimeoutException>(e) is not null || e is OperationCanceledException => "it does not answer in time",
        _ => "the connection is lost",
    };

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private static bool IsLostConnection(NpgsqlException e) =>
        e is PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown }
        || (e is not PostgresException && IsOrHas<TimeoutException>(e) is null);

    private static T? IsOrHas<T>(Exception? e)
        where T : Exception
    {
        for (; e is not null; e = e.InnerException)
        {
            if (e is T found)
                return found;
        }
        return null;
    }
}
