using Weir.Stack.Tests.Running;

namespace Weir.Stack.Tests.Production;

/// <summary>PostgreSQL, Redis, and what holds for every service in production.</summary>
[Collection("3 production")]
public sealed class StoreTests(Stacks stacks)
{
    private static readonly string[] Secrets = ["db_password", "redis_password", "admin_token", "grafana_password", "api_keys"];

    [Fact]
    public async Task C1_HealthChecksTellTheTruth()
    {
        var stack = await stacks.ProductionAsync();
        var services = (await stack.ConfigAsync()).At("services");

        Assert.Contains("pg_isready", services.At("db", "healthcheck", "test").GetRawText());
        // Without its password Redis answers, but not with PONG: redis-cli would end with 0.
        var probe = services.At("redis", "healthcheck", "test").Items()[^1].Text().Replace("$$", "$", StringComparison.Ordinal);
        (await stack.ExecAsync("redis", "sh", "-c", probe)).Ok();
        Assert.NotEqual(0, (await stack.ExecAsync("redis", "sh", "-c", probe.Replace("/run/secrets/redis_password", "/dev/null", StringComparison.Ordinal))).ExitCode);
        var api = services.At("api", "healthcheck", "test").Items().Select(static t => t.Text()).Skip(1).ToArray();
        (await stack.ExecAsync("api", api)).Ok();
        (await stack.ExecAsync("api", "touch", "/tmp/unwell")).Ok();
        var unwell = await stack.ExecAsync("api", api);
        (await stack.ExecAsync("api", "rm", "/tmp/unwell")).Ok();
        Assert.NotEqual(0, unwell.ExitCode);
    }

    [Fact]
    public async Task C2_EveryoneWaitsForWhatItNeeds()
    {
        var stack = await stacks.ProductionAsync();

        foreach (var (service, needs) in new (string, string[])[] { ("api", ["db", "redis"]), ("frontend", ["api"]), ("lb", ["api"]) })
        {
            foreach (var need in needs)
                Assert.True(stack.Events!.First(service, "start") >= stack.Events.First(need, "health_status: healthy"), $"{service} started before {need} was healthy.");
        }
        foreach (var service in new[] { "api", "ratelimiter-1", "ratelimiter-2", "ratelimiter-3" })
            Assert.DoesNotMatch("(?i)refused|cannot connect|unreachable|is down|no such host", await stack.LogsAsync(service));
    }

    [Fact]
    public async Task C7_RedisConfIsSeenAtOnceAndNeverEvicts()
    {
        var stack = await stacks.ProductionAsync();
        var file = Path.Combine(stack.Folder, "deploy/redis/redis.conf");

        await File.AppendAllTextAsync(file, "# edited on the host\n");

        Assert.Contains("# edited on the host", (await stack.ExecAsync("redis", "cat", "/usr/local/etc/redis/redis.conf")).Ok().Output);
        Assert.Equal("maxmemory-policy\nnoeviction", await stack.RedisAsync("config get maxmemory-policy"));
        Assert.Equal("save\n60 1000", await stack.RedisAsync("config get save"));
        Assert.NotEqual("maxmemory\n0", await stack.RedisAsync("config get maxmemory"));
    }

    [Fact]
    public async Task C8_TheScratchFolderIsGoneAfterARestart()
    {
        var stack = await stacks.ProductionAsync();
        (await stack.ExecAsync("redis", "sh", "-c", "echo scratch >/tmp/redis-tmp/file && cat /tmp/redis-tmp/file")).Ok();

        await stack.ComposeAsync("restart", "redis");
        await stack.HealthyAsync("redis", "Redis is back");

        Assert.NotEqual(0, (await stack.ExecAsync("redis", "cat", "/tmp/redis-tmp/file")).ExitCode);
        (await stack.ExecAsync("redis", "touch", "/tmp/redis-tmp/file")).Ok();
        // And nowhere else.
        Assert.NotEqual(0, (await stack.ExecAsync("redis", "touch", "/usr/local/file")).ExitCode);
        await stack.HealthyAsync("api", "The application has found Redis again");
    }

    [Fact]
    public async Task C13_UsersAreMadeOnceAndAreUnique()
    {
        var stack = await stacks.ProductionAsync();
        var count = int.Parse(await stack.SqlAsync("select count(*) from users"));
        Assert.InRange(count, 1, 3);
        foreach (var (name, mail) in new[] { ("alice", "another@example.com"), ("another", "alice@example.com") })
        {
            var insert = await stack.ExecAsync("db", "sh", "-c", $"psql -X -v ON_ERROR_STOP=1 -U \"$POSTGRES_USER\" -d \"$POSTGRES_DB\" -c \"insert into users (username, email) values ('{name}', '{mail}')\"");
            Assert.Contains("duplicate key", insert.Text);
        }
        Assert.NotEqual("0", await stack.SqlAsync("select count(*) from pg_indexes where tablename = 'users'"));
        await stack.SqlAsync("delete from users where username = 'carol'");

        await stack.ComposeAsync("restart", "db");
        await stack.HealthyAsync("db", "PostgreSQL is back");

        // It would have come back if the file had run again.
        Assert.Equal($"{count - 1}", await stack.SqlAsync("select count(*) from users"));
        // What came later is there as well, and before that nobody was served.
        Assert.NotEqual("", await stack.SqlAsync("select to_regclass('conversations')"));
    }

    [Fact]
    public async Task C16_NoSecretIsInImagesEnvironmentsOrLogs()
    {
        var stack = await stacks.ProductionAsync();
        var values = new List<string>();
        foreach (var secret in Secrets)
            values.AddRange((await File.ReadAllLinesAsync(Path.Combine(stack.Folder, "secrets", secret))).Select(static l => l.Split(':')[^1].Trim()).Where(static l => l.Length > 0));
        Assert.True(values.Count >= Secrets.Length);

        var ids = (await Shell.DockerAsync("ps", "--all", "--quiet", "--filter", $"label=com.docker.compose.project={stack.Project}")).Ok().Lines;
        var known = (await Shell.DockerAsync(["inspect", .. ids])).Ok().Output + (await stack.ComposeAsync("logs", "--no-color")).Text;
        foreach (var id in new[] { await stack.IdAsync("api"), await stack.IdAsync("ratelimiter-1") })
            known += (await Shell.DockerAsync("history", "--no-trunc", (await ComposeStack.InspectAsync(id)).At("Image").Text())).Ok().Output;
        foreach (var value in values)
            Assert.DoesNotContain(value, known);
    }

    [Fact]
    public async Task C17_NobodyIsRootAndNothingCanBeWritten()
    {
        var stack = await stacks.ProductionAsync();
        foreach (var service in new[] { "redis", "db", "ratelimiter-1", "api", "frontend", "lb", "prometheus" })
        {
            var id = await stack.IdAsync(service);
            Assert.NotEqual("0", (await Shell.DockerAsync("exec", id, "id", "-u")).Ok().Output.Trim());
            Assert.NotEqual(0, (await Shell.DockerAsync("exec", id, "touch", "/file")).ExitCode);
            var status = (await Shell.DockerAsync("exec", id, "cat", "/proc/1/status")).Ok().Lines;
            Assert.Contains(status, static l => l.StartsWith("CapEff:", StringComparison.Ordinal) && l.EndsWith("0000000000000000", StringComparison.Ordinal));
            Assert.Contains(status, static l => l.StartsWith("NoNewPrivs:", StringComparison.Ordinal) && l.EndsWith('1'));
        }
    }
}
