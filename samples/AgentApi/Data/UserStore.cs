using Npgsql;

namespace AgentApi.Data;

/// <summary>A user as others may see it: without the address.</summary>
internal sealed record User(int Id, string Username, DateTime CreatedAt);

/// <summary>Who there is.</summary>
internal sealed class UserStore(Database database)
{
    /// <summary>The most users that one list has.</summary>
    public const int MaxListed = 100;

    /// <summary>The first users, by name.</summary>
    public Task<List<User>> ListAsync(CancellationToken cancellation) => database.RunAsync(
        async connection =>
        {
            await using var command = new NpgsqlCommand("select id, username, created_at from users order by username limit @most", connection);
            command.Parameters.AddWithValue("most", MaxListed);
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            var users = new List<User>();
            while (await reader.ReadAsync(cancellation))
                users.Add(new User(reader.GetInt32(0), reader.GetString(1), reader.GetDateTime(2)));
            return users;
        },
        cancellation);

    /// <summary>Makes those users that there are not yet. The addresses are of a domain that nobody can have.</summary>
    public Task<int> EnsureAsync(IEnumerable<string> usernames, CancellationToken cancellation) => database.RunAsync(
        async connection =>
        {
            const string Sql = "insert into users (username, email) select name, name || '@users.invalid' from unnest(@names) as name on conflict do nothing";
            await using var command = new NpgsqlCommand(Sql, connection);
            command.Parameters.AddWithValue("names", usernames.ToArray());
            return await command.ExecuteNonQueryAsync(cancellation);
        },
        cancellation);
}
