using AgentApi.Tests.Servers;

namespace AgentApi.Tests;

/// <summary>Bringing the database up to date.</summary>
public sealed class MigrationTests(Stores stores)
{
    [Fact]
    public async Task Migrations_OfInstancesThatStartTogether_RunOnce()
    {
        Stores.SkipWithoutServers();
        var database = await stores.Postgres.CreateDatabaseAsync();
        var variables = Agent.Variables(stores.Postgres, database, stores.Redis);

        var agents = Enumerable.Range(1, 4).Select(i => Agent.Launch(variables, ("INSTANCE_NAME", $"agent-{i}"))).ToList();
        try
        {
            await Task.WhenAll(agents.Select(static a => a.ServesAsync()));

            var logged = string.Concat(agents.Select(static a => a.Output)).Split('\n').Where(static l => l.Contains("migrated: ")).Select(static l => l[^4..]).ToList();
            Assert.Equal(Convert.ToInt64(await Scalar("select count(*) from schema_migrations")), logged.Count);
            Assert.NotEmpty(logged);
            foreach (var agent in agents)
                Assert.Equal(200, (await agent.HealthAsync()).Status);
        }
        finally
        {
            foreach (var agent in agents)
                await agent.DisposeAsync();
        }

        Task<object?> Scalar(string sql) => stores.Postgres.ScalarAsync(database, sql);
    }

    [Fact]
    public async Task Migrations_MakeTheTableThatInitSqlMakes_AndTolerateIt()
    {
        Stores.SkipWithoutServers();
        const string Shape = """
            select string_agg(line, E'\n' order by line) from (
                select column_name || ' ' || data_type || ' ' || is_nullable || ' ' || is_identity as line from information_schema.columns where table_name = 'users'
                union all select indexdef from pg_indexes where tablename = 'users'
                union all select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'users'::regclass) as lines
            """;
        var (fresh, seeded) = (await stores.Postgres.CreateDatabaseAsync(), await stores.Postgres.CreateDatabaseAsync());
        await stores.Postgres.ScalarAsync(seeded, InitSql());
        var before = await stores.Postgres.ScalarAsync(seeded, Shape);

        await using (await Agent.StartAsync(Agent.Variables(stores.Postgres, fresh, stores.Redis)))
        await using (var agent = await Agent.StartAsync(Agent.Variables(stores.Postgres, seeded, stores.Redis)))
        {
            var users = await agent.Client.GetHeardAsync("/users");

            Assert.Equal(["alice", "bob", "carol"], users["users"].EnumerateArray().Select(static u => u.GetProperty("username").GetString()!));
        }
        Assert.Equal(before, await stores.Postgres.ScalarAsync(seeded, Shape));
        Assert.Equal(before, await stores.Postgres.ScalarAsync(fresh, Shape));
    }

    [Fact]
    public async Task InitSql_RefusesASecondUserOfTheSameNameOrAddress_AndSeedsOnce()
    {
        Stores.SkipWithoutServers();
        var database = await stores.Postgres.CreateDatabaseAsync();

        await stores.Postgres.ScalarAsync(database, InitSql());
        await stores.Postgres.ScalarAsync(database, InitSql());

        Assert.InRange(Convert.ToInt32(await stores.Postgres.ScalarAsync(database, "select count(*) from users")), 1, 3);
        foreach (var values in new[] { "('alice', 'other@example.com')", "('other', 'alice@example.com')" })
        {
            var refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => stores.Postgres.ScalarAsync(database, $"insert into users (username, email) values {values}"));
            Assert.Equal(Npgsql.PostgresErrorCodes.UniqueViolation, refused.SqlState);
        }
    }

    [Fact]
    public async Task Start_WithAMigrationOfAnotherText_IsRefusedInOneLine()
    {
        Stores.SkipWithoutServers();
        var database = await stores.Postgres.CreateDatabaseAsync();
        var variables = Agent.Variables(stores.Postgres, database, stores.Redis);
        await using (await Agent.StartAsync(variables))
            await stores.Postgres.ScalarAsync(database, "update schema_migrations set sha256 = 'another' where number = 1");

        await using var agent = Agent.Launch(variables);

        Assert.Equal(1, await agent.ExitAsync());
        Assert.Matches("^agent-api: migration 0001_users ran in this database with another text\\. [^\n]*\n$", agent.Errors);
    }

    [Fact]
    public async Task Start_WhenAMigrationFails_LeavesNothingBehind()
    {
        Stores.SkipWithoutServers();
        var database = await stores.Postgres.CreateDatabaseAsync();
        // In the way of the second migration, so that the first has run already when it fails.
        await stores.Postgres.ScalarAsync(database, "create table messages (id integer)");

        await using var agent = Agent.Launch(Agent.Variables(stores.Postgres, database, stores.Redis));

        Assert.Equal(1, await agent.ExitAsync());
        Assert.Matches("^agent-api: database [^\n]*already exists[^\n]*\n$", agent.Errors);
        Assert.DoesNotContain("   at ", agent.Output);
        Assert.Equal("messages", await stores.Postgres.ScalarAsync(database, "select string_agg(tablename, ' ') from pg_tables where schemaname = 'public'"));
    }

    [Fact]
    public async Task Start_OnADatabaseOfANewerVersion_ServesAndSaysSo()
    {
        Stores.SkipWithoutServers();
        var database = await stores.Postgres.CreateDatabaseAsync();
        var variables = Agent.Variables(stores.Postgres, database, stores.Redis);
        await using (await Agent.StartAsync(variables))
            await stores.Postgres.ScalarAsync(database, "insert into schema_migrations (number, name, sha256) values (9000, '9000_later', '')");

        await using var agent = await Agent.StartAsync(variables);

        Assert.Contains("the database is at migration 9000", agent.Output);
    }

    private static string InitSql()
    {
        using var reader = new StreamReader(typeof(MigrationTests).Assembly.GetManifestResourceStream("init.sql")!);
        return reader.ReadToEnd();
    }
}
