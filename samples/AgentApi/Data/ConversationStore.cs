using Npgsql;

namespace AgentApi.Data;

/// <summary>
/// The assistant's memory. A user finds only conversations of their own; those of others are as if they were not there. What was acknowledged is committed.
/// </summary>
internal sealed class ConversationStore(Database database)
{
    /// <summary>The most messages that are read at once.</summary>
    public const int MaxPage = 100;

    /// <summary>The most conversations that one list has.</summary>
    public const int MaxListed = 50;

    /// <summary>The most messages that a conversation takes.</summary>
    public const int MaxMessages = 10_000;

    private const string Columns = "c.id, u.username, c.title, c.message_count, c.tokens, c.created_at, c.updated_at";

    /// <summary>Begins a conversation. With an identifier that is known already it changes nothing.</summary>
    /// <returns>Null when there is no such user.</returns>
    public Task<Conversation?> BeginAsync(Guid id, string user, string title, CancellationToken cancellation) => database.RunAsync(
        async connection =>
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(new NpgsqlBatchCommand("insert into conversations (id, user_id, title) select $1, id, $2 from users where username = $3 on conflict (id) do nothing")
            {
                Parameters = { new() { Value = id }, new() { Value = title }, new() { Value = user } },
            });
            batch.BatchCommands.Add(SelectOne(id, user));
            return await ReadOneAsync(batch, cancellation);
        },
        cancellation);

    /// <summary>Finds a conversation.</summary>
    public Task<Conversation?> FindAsync(Guid id, string user, CancellationToken cancellation) => database.RunAsync(
        async connection =>
        {
            await using var batch = new NpgsqlBatch(connection) { BatchCommands = { SelectOne(id, user) } };
            return await ReadOneAsync(batch, cancellation);
        },
        cancellation);

    /// <summary>A user's conversations, the one that was used last first.</summary>
    public Task<List<Conversation>> ListAsync(string user, CancellationToken cancellation) => database.RunAsync(
        async connection =>
        {
            await using var command = new NpgsqlCommand(
                $"select {Columns} from conversations c join users u on u.id = c.user_id where u.username = $1 order by c.updated_at desc, c.id limit $2", connection);
            command.Parameters.Add(new() { Value = user });
            command.Parameters.Add(new() { Value = MaxListed });
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            var found = new List<Conversation>();
            while (await reader.ReadAsync(cancellation))
                found.Add(Read(reader));
            return found;
        },
        cancellation);

    /// <summary>The messages with numbers above <paramref name="after"/>, at most <see cref="MaxPage"/>.</summary>
    public Task<List<Message>> ReadMessagesAsync(Guid id, int after, int most, CancellationToken cancellation) => database.RunAsync(
        async connection =>
        {
            await using var command = new NpgsqlCommand(
                "select number, role, content, tokens, created_at from messages where conversation_id = $1 and number > $2 order by number limit $3", connection);
            command.Parameters.Add(new() { Value = id });
            command.Parameters.Add(new() { Value = after });
            command.Parameters.Add(new() { Value = Math.Min(most, MaxPage) });
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            var messages = new List<Message>();
            while (await reader.ReadAsync(cancellation))
                messages.Add(new Message(reader.GetInt32(0), reader.GetString(1), reader.GetString(2), reader.GetInt32(3), reader.GetDateTime(4)));
            return messages;
        },
        cancellation);

    /// <summary>What was said before, for an answer.</summary>
    /// <returns>Null when the user has no such conversation.</returns>
    public Task<Recollection?> RecallAsync(Guid id, string user, CancellationToken cancellation) => database.RunAsync(
        async connection =>
        {
            const string Sql = """
                select c.message_count,
                    (select content from messages m where m.conversation_id = c.id and m.number = 1),
                    (select content from messages m where m.conversation_id = c.id and m.role = 'user' order by number desc limit 1)
                from conversations c join users u on u.id = c.user_id where c.id = $1 and u.username = $2
                """;
            await using var command = new NpgsqlCommand(Sql, connection);
            command.Parameters.Add(new() { Value = id });
            command.Parameters.Add(new() { Value = user });
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            return await reader.ReadAsync(cancellation)
                ? new Recollection(reader.GetInt32(0), await TextAsync(reader, 1, cancellation), await TextAsync(reader, 2, cancellation))
                : (Recollection?)null;
        },
        cancellation);

    /// <summary>
    /// Appends a question and its answer, both or none. Not tried again when the connection is lost: nobody knows then whether it was done.
    /// </summary>
    /// <returns>The number of the answer, or null when the conversation is full or gone.</returns>
    public async Task<int?> AppendAsync(Guid id, (string Content, int Tokens) question, (string Content, int Tokens) answer, CancellationToken cancellation)
    {
        // One statement: the row of the conversation is the lock that numbers messages, and there is nothing to roll back.
        const string Sql = """
            with turn as (
                update conversations set message_count = message_count + 2, tokens = tokens + $2 + $3, updated_at = now()
                where id = $1 and message_count + 2 <= $4 returning id, message_count),
            said as (
                insert into messages (conversation_id, number, role, content, tokens)
                select id, message_count - 1, 'user', $5, $2 from turn
                union all select id, message_count, 'assistant', $6, $3 from turn)
            select message_count from turn
            """;
        await using var connection = await database.OpenAsync(cancellation);
        await using var command = new NpgsqlCommand(Sql, connection);
        foreach (var value in new object[] { id, question.Tokens, answer.Tokens, MaxMessages, question.Content, answer.Content })
            command.Parameters.Add(new() { Value = value });
        return (int?)await command.ExecuteScalarAsync(cancellation);
    }

    private static NpgsqlBatchCommand SelectOne(Guid id, string user) =>
        new($"select {Columns} from conversations c join users u on u.id = c.user_id where c.id = $1 and u.username = $2")
        {
            Parameters = { new() { Value = id }, new() { Value = user } },
        };

    private static async Task<Conversation?> ReadOneAsync(NpgsqlBatch batch, CancellationToken cancellation)
    {
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? Read(reader) : null;
    }

    private static Conversation Read(NpgsqlDataReader reader) => new(
        reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetInt32(3), reader.GetInt64(4), reader.GetDateTime(5), reader.GetDateTime(6));

    private static async Task<string?> TextAsync(NpgsqlDataReader reader, int column, CancellationToken cancellation) =>
        await reader.IsDBNullAsync(column, cancellation) ? null : reader.GetString(column);
}
