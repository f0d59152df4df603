using System.Net;
using Npgsql;

namespace AgentApi.Configuration;

/// <summary>Where the database is, from <c>DATABASE_URL</c> or from its parts.</summary>
internal sealed class DatabaseConfig
{
    private const string Form = "must be written as postgres://user:password@host:5432/database; in user and password write @ : / ? # % as %40 %3A %2F %3F %23 %25";

    public required string Host { get; init; }

    public required int Port { get; init; }

    public required string Name { get; init; }

    /// <summary>Where the password came from.</summary>
    public required SecretSource Password { get; init; }

    /// <summary>For Npgsql only: it contains the password.</summary>
    public required string ConnectionString { get; init; }

    /// <summary>What may be shown.</summary>
    public override string ToString() => $"{Host}:{Port}/{Name}";

    public static DatabaseConfig Read(SettingsReader settings)
    {
        var parts = new NpgsqlConnectionStringBuilder
        {
            Host = settings.Word("DB_HOST", "localhost", 253),
            Port = settings.Integer("DB_PORT", 5432, 1, IPEndPoint.MaxPort),
            Database = settings.Word("DB_NAME", "agent", 63),
            Username = settings.Word("DB_USER", "agent", 63),
            // Five instances with ten each stay well below the hundred that PostgreSQL takes by default.
            MaxPoolSize = settings.Integer("DB_POOL_SIZE", 10, 1, 1_000),
            // In seconds. A client is told that the database is away, rather than left waiting.
            Timeout = 3,
            CommandTimeout = 5,
            CancellationTimeout = 1_000,
            ApplicationName = "agent-api",
            // Kerberos is not used here, and looking for its library, which container images leave out, writes errors into the log.
            GssEncryptionMode = GssEncryptionMode.Disable,
        };
        var (password, source) = settings.Secret("DB_PASSWORD");
        parts.Password = password;
        if (settings.Text("DATABASE_URL") is { } url)
        {
            if (settings.IsGiven("DB_HOST"))
                settings.Report("DATABASE_URL and DB_HOST", "both are set. Remove one of them.");
            source = ReadUrl(settings, url, parts, source);
        }
        return new DatabaseConfig
        {
            Host = parts.Host!,
            Port = parts.Port,
            Name = parts.Database!,
            Password = source,
            ConnectionString = parts.ConnectionString,
        };
    }

    private static SecretSource ReadUrl(SettingsReader settings, string text, NpgsqlConnectionStringBuilder parts, SecretSource source)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("postgres" or "postgresql") || url.Host.Length == 0)
        {
            settings.Report("DATABASE_URL", Form + ".");
            return source;
        }
        parts.Host = url.Host;
        parts.Port = url.Port < 0 ? 5432 : url.Port;
        if (url.AbsolutePath.Length > 1)
            parts.Database = Uri.UnescapeDataString(url.AbsolutePath[1..]);
        ReadQuery(settings, url.Query, parts);
        if (url.UserInfo.Length == 0)
            return source;
        var user = url.UserInfo.Split(':', 2);
        parts.Username = Uri.UnescapeDataString(user[0]);
        if (user.Length < 2)
            return source;
        if (source != SecretSource.None)
            settings.Report("DB_PASSWORD", "DATABASE_URL has a password too. Remove one of them.");
        parts.Password = Uri.UnescapeDataString(user[1]);
        return SecretSource.Environment;
    }

    private static void ReadQuery(SettingsReader settings, string query, NpgsqlConnectionStringBuilder parts)
    {
        foreach (var pair in query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var mode = pair.StartsWith("sslmode=", StringComparison.Ordinal) ? pair["sslmode=".Length..].Replace("-", "") : null;
            if (mode is not null && Enum.TryParse<SslMode>(mode, ignoreCase: true, out var ssl))
                parts.SslMode = ssl;
            else
                settings.Report("DATABASE_URL", "behind the ? only sslmode may stand: disable, prefer, require, verify-ca or verify-full.");
        }
    }
}
