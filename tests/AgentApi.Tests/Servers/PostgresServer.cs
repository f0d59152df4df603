using System.Runtime.InteropServices;
using Npgsql;
using Weir.TestKit.Redis;

namespace AgentApi.Tests.Servers;

/// <summary>
/// A real server on this machine, on a free port and with a folder of its own, which asks for a password. It ends with the test, or at the latest
/// with the test process.
/// </summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    public const string User = "agent";

    /// <summary>So odd that it is found wherever it should not be.</summary>
    public const string Password = "pg-S3cr3t/of:the@tests";

    private const PosixSignal Immediately = PosixSignal.SIGQUIT;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    // Making a cluster takes seconds, copying one does not.
    private static readonly Lazy<Task<string>> Template = new(MakeTemplateAsync);

    private readonly string _folder = PostgresPrograms.MakeFolder("weir-postgres-");
    private ChildProcess? _process;

    private PostgresServer(int port) => Port = port;

    public static string? Unavailable => PostgresPrograms.Unavailable;

    public int Port { get; }

    private string Data => Path.Combine(_folder, "data");

    /// <summary>What was logged since the last start, every statement included.</summary>
    public string Log => _process?.Errors ?? "";

    /// <summary>Starts a server and waits until it answers.</summary>
    public static async Task<PostgresServer> StartAsync()
    {
        for (var attempt = 0; ; attempt++)
        {
            var server = new PostgresServer(RedisServer.FreePort());
            try
            {
                await RunAsync("/bin/cp", "-a", await Template.Value, server.Data);
                await server.StartAgainAsync();
                return server;
            }
            catch when (attempt < 3)
            {
                // Another process may have taken the port in between.
                await server.DisposeAsync();
            }
        }
    }

    /// <summary>Starts the server again after it was stopped, with its data.</summary>
    public async Task StartAgainAsync()
    {
        var (program, arguments) = PostgresPrograms.Command(
            "postgres", "-D", Data, "-p", $"{Port}", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "shared_buffers=16MB",
            "-c", "max_connections=60", "-c", "fsync=off", "-c", "log_statement=all");
        _process = ChildProcess.Start(program, arguments);
        await Eventually.IsTrueAsync(
            async () =>
            {
                if (_process.HasExited)
                    return true;
                await ScalarAsync("postgres", "select 'ready'");
                return true;
            },
            "PostgreSQL answers", Patience);
        if (_process.HasExited)
            throw new InvalidOperationException($"postgres ended. {Log}");
    }

    /// <summary>Stops the server as a crash does: nothing is tidied up or written.</summary>
    public async Task CrashAsync()
    {
        _process!.Signal(Immediately);
        await _process.ExitAsync();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Makes an empty database and gives its name.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = $"t{Guid.NewGuid():n}";
        await ScalarAsync("postgres", $"create database {name}");
        return name;
    }

    /// <summary>Runs statements and gives the first value of the last.</summary>
    public async Task<object?> ScalarAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString(database));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await CrashAsync();
        Directory.Delete(_folder, recursive: true);
    }

    // Without a pool: nothing of one test is met by the next.
    private string ConnectionString(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = Port,
        Database = database,
        Username = User,
        Password = Password,
        Pooling = false,
        Timeout = 30,
        CommandTimeout = 60,
    }.ConnectionString;

    private static async Task<string> MakeTemplateAsync()
    {
        var folder = PostgresPrograms.MakeFolder("weir-postgres-template-");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        var (data, secret) = (Path.Combine(folder, "data"), Path.Combine(folder, "password"));
        await File.WriteAllTextAsync(secret, Password);
        PostgresPrograms.Give(secret);
        var (program, arguments) = PostgresPrograms.Command(
            "initdb", "-D", data, "-U", User, $"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync");
        await RunAsync(program, arguments);
        return data;
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = ChildProcess.Start(program, arguments);
        var code = await process.ExitAsync(Patience);
        Assert.True(code == 0, $"{program} ended with {code}: {process.Output}{process.Errors}");
    }
}
