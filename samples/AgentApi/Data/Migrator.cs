using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using AgentApi.Hosting;
using Npgsql;

namespace AgentApi.Data;

/// <summary>
/// Brings the database to what this version of the service needs. All of it is one transaction under an advisory lock: of several instances
/// that start together one migrates, the others wait for it and find nothing to do; a migration that fails leaves nothing behind.
/// </summary>
internal sealed class Migrator(Database database, ILogger<Migrator> log)
{
    // Any number, as long as all versions of the service use the same.
    private const long LockNumber = 0x5765_6972_4167_656E;

    private static readonly Migration[] Known = [.. ReadKnown()];

    /// <summary>Runs what has not run yet.</summary>
    /// <returns>How many migrations that were.</returns>
    /// <exception cref="StartException">A migration that ran is not the one that this version knows.</exception>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await TakeLockAsync(connection, cancellation);
        var done = await ReadDoneAsync(connection, cancellation);
        Compare(done);
        var missing = Known.Where(m => !done.ContainsKey(m.Number)).ToList();
        foreach (var migration in missing)
            await RunAsync(connection, migration, cancellation);
        await transaction.CommitAsync(cancellation);
        foreach (var migration in missing)
            log.LogInformation("migrated: {Migration}", migration.Name);
        return missing.Count;
    }

    // Whoever waits here waits for another instance's migrations, which may take long; the caller bounds it all.
    private static async Task TakeLockAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select pg_advisory_xact_lock(@number)", connection) { CommandTimeout = 0 };
        command.Parameters.AddWithValue("number", LockNumber);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private static async Task<Dictionary<int, string>> ReadDoneAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        const string Sql = """
            create table if not exists schema_migrations (
                number integer primary key, name text not null, sha256 text not null, applied_at timestamptz not null default now());
            select number, sha256 from schema_migrations
            """;
        await using var command = new NpgsqlCommand(Sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var done = new Dictionary<int, string>();
        while (await reader.ReadAsync(cancellation))
            done.Add(reader.GetInt32(0), reader.GetString(1));
        return done;
    }

    private static async Task RunAsync(NpgsqlConnection connection, Migration migration, CancellationToken cancellation)
    {
        await using var script = new NpgsqlCommand(migration.Sql, connection) { CommandTimeout = 0 };
        await script.ExecuteNonQueryAsync(cancellation);
        await using var note = new NpgsqlCommand("insert into schema_migrations (number, name, sha256) values (@number, @name, @sha256)", connection);
        note.Parameters.AddWithValue("number", migration.Number);
        note.Parameters.AddWithValue("name", migration.Name);
        note.Parameters.AddWithValue("sha256", migration.Sha256);
        await note.ExecuteNonQueryAsync(cancellation);
    }

    private void Compare(Dictionary<int, string> done)
    {
        foreach (var migration in Known)
        {
            if (done.TryGetValue(migration.Number, out var sha256) && sha256 != migration.Sha256)
                throw new StartException($"migration {migration.Name} ran in this database with another text. Put its text back, and write what is new as another migration.");
        }
        // A newer version ran here. Its migrations must suit the one before, or instances could not be replaced one by one.
        if (done.Keys.Append(0).Max() is var newest && newest > Known[^1].Number)
            log.LogWarning("the database is at migration {Newest}, newer than this version's {Known}", newest, Known[^1].Number);
    }

    private static IEnumerable<Migration> ReadKnown()
    {
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var resource in assembly.GetManifestResourceNames().Where(static n => n.StartsWith("migrations/", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!, Encoding.UTF8);
            var (name, sql) = (Path.GetFileNameWithoutExtension(resource), reader.ReadToEnd());
            yield return new Migration(int.Parse(name.AsSpan(0, 4)), name, sql, Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(sql))));
        }
    }

    private sealed record Migration(int Number, string Name, string Sql, string Sha256);
}
