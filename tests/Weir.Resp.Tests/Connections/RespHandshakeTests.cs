using Weir.TestKit.Redis;

namespace Weir.Resp.Tests.Connections;

public class RespHandshakeTests
{
    private const string Secret = "s3cret";

    [Fact]
    public async Task Connect_LearnsWhoTheServerIs()
    {
        Needs.Redis();
        await using var server = await RedisServer.StartAsync();
        await using var connection = await ConnectAsync($"redis://127.0.0.1:{server.Port}/7", o => o with { ClientName = "weir-test" });
        var info = connection.Server;
        Assert.Equal((RespServerMode.Standalone, RespRole.Primary, 3), (info.Mode, info.Role, info.Protocol));
        Assert.Equal((40, 40), (info.RunId.Length, info.ReplicationId.Length));
        Assert.True(info.Version >= new Version(6, 2));
        var clients = server.Call("CLIENT", "LIST").Text;
        Assert.Contains("name=weir-test", clients);
        Assert.Contains("db=7", clients);
    }

    [Theory]
    [InlineData(2, "")]
    [InlineData(3, "HELLO")]
    public async Task Connect_WhereThereIsNoHello_SpeaksTheOlderProtocol(int protocol, string renamed)
    {
        Needs.Redis();
        string[] rename = renamed.Length > 0 ? ["--rename-command", renamed, ""] : [];
        await using var server = await RedisServer.StartAsync([.. rename, "--requirepass", Secret]);
        await using var connection = await ConnectAsync(
            $"redis://:{Secret}@127.0.0.1:{server.Port}/3", o => o with { Protocol = protocol, ClientName = "weir-test" });
        Assert.Equal((2, RespRole.Primary), (connection.Server.Protocol, connection.Server.Role));
        using var reply = await connection.SendAsync(RespCommand.Create("CONFIG", "GET", "maxclients"));
        Assert.Equal(RespType.Array, reply.Root().Type);
        using var list = await connection.SendAsync(RespCommand.Create("CLIENT", "LIST"));
        Assert.Contains("name=weir-test", list.GetString());
        Assert.Contains("db=3", list.GetString());
    }

    [Fact]
    public async Task Connect_WithPasswords()
    {
        Needs.Redis();
        await using var server = await RedisServer.StartAsync(
            "--requirepass", Secret, "--user", "weir", "on", ">other", "~*", "+@all", "--user", "bare", "on", ">bare", "~*", "-@all", "+get");
        await (await ConnectAsync($"redis://:{Secret}@127.0.0.1:{server.Port}")).DisposeAsync();
        await (await ConnectAsync($"redis://weir:other@127.0.0.1:{server.Port}")).DisposeAsync();
        foreach (var protocol in new[] { 2, 3 })
        {
            Func<RespOptions, RespOptions> adjust = o => o with { Protocol = protocol };
            await FailsAsync($"redis://127.0.0.1:{server.Port}", RespCause.PasswordNeeded, adjust);
            await FailsAsync($"redis://:wrong-{Secret}@127.0.0.1:{server.Port}", RespCause.WrongPassword, adjust);
            await FailsAsync($"redis://weir:{Secret}@127.0.0.1:{server.Port}", RespCause.WrongPassword, adjust);
            await FailsAsync($"redis://nobody:{Secret}@127.0.0.1:{server.Port}", RespCause.WrongPassword, adjust);
        }
    }

    [Fact]
    public async Task Connect_AsUserWhoMayNotAsk_WorksWithoutKnowing()
    {
        Needs.Redis();
        await using var server = await RedisServer.StartAsync("--user", "bare", "on", ">bare", "~*", "-@all", "+get");
        await using var connection = await ConnectAsync($"redis://bare:bare@127.0.0.1:{server.Port}");
        Assert.Equal("", connection.Server.RunId);
        Assert.Equal(RespRole.Primary, connection.Server.Role);
        using var denied = await connection.SendAsync(RespCommand.Create("SET", "a", "b"));
        Assert.Equal(RespErrorKind.NoPermission, denied.ErrorKind);
    }

    [Fact]
    public async Task Connect_ToDatabaseThatIsNotThere()
    {
        Needs.Redis();
        await using var server = await RedisServer.StartAsync();
        await FailsAsync($"redis://127.0.0.1:{server.Port}/99", RespCause.WrongDatabase);
    }

    [Fact]
    public async Task Connect_ToReplica_IsRefusedUnlessAllowed()
    {
        Needs.Redis();
        await using var server = await RedisServer.StartAsync("--replicaof", "127.0.0.1", "1");
        await FailsAsync($"redis://127.0.0.1:{server.Port}", RespCause.NotPrimary);
        await using var connection = await ConnectAsync($"redis://127.0.0.1:{server.Port}", o => o with { AllowReplica = true });
        Assert.Equal(RespRole.Replica, connection.Server.Role);
    }

    [Fact]
    public async Task Connect_ToServerOfAnotherMode()
    {
        Needs.Redis();
        await using var cluster = await RedisServer.StartAsync("--cluster-enabled", "yes");
        await FailsAsync($"redis://127.0.0.1:{cluster.Port}", RespCause.IsCluster);
        await using var alone = await RedisServer.StartAsync();
        await FailsAsync($"redis+cluster://127.0.0.1:{alone.Port}", RespCause.NotCluster);
        await using var sentinel = await RedisServer.StartAsync(_ => ["--sentinel"], "port {port}");
        await FailsAsync($"redis://127.0.0.1:{sentinel.Port}", RespCause.IsSentinel);
        await FailsAsync($"redis+cluster://127.0.0.1:{sentinel.Port}", RespCause.IsSentinel);
    }

    [Fact]
    public async Task Connect_WhenThereAreTooManyClients()
    {
        Needs.Redis();
        await using var server = await RedisServer.StartAsync("--maxclients", "1");
        PlainClient? first = null;
        await Eventually.IsTrueAsync(() => !(first = PlainClient.Connect(server.Port)).Call("PING").IsError, "the fixture's own connection is gone");
        using var only = first;
        var e = await Assert.ThrowsAsync<RespFailureException>(() => ConnectAsync($"redis://127.0.0.1:{server.Port}"));
        // Whether the reason is still read before the connection breaks is up to chance.
        Assert.Contains(e.Failure.Cause, new[] { RespCause.HandshakeRefused, RespCause.ClosedByServer, RespCause.ConnectionLost });
    }

    [Fact]
    public async Task Connect_WithTls()
    {
        Needs.Redis();
        using var certificates = new TestCertificates();
        await using var server = await certificates.StartServerAsync("--requirepass", Secret);
        var url = $"rediss://:{Secret}@127.0.0.1:{server.Port}";
        await using var connection = await ConnectAsync($"{url}?tls_ca_file={certificates.CaFile}");
        using var reply = await connection.SendAsync(RespCommand.Create("ECHO", new string('x', 100_000)));
        Assert.Equal(100_000, reply.GetString()!.Length);
        await (await ConnectAsync($"{url}?tls_verify=off")).DisposeAsync();
        await FailsAsync(url, RespCause.CertificateUntrusted);
        await FailsAsync($"{url}?tls_ca_file=/no/such/file", RespCause.CaFileUnreadable);
        await FailsAsync($"{url}?tls_ca_file={certificates.KeyFile}", RespCause.CaFileUnreadable);
        await FailsAsync($"redis://:{Secret}@127.0.0.1:{server.Port}", RespCause.ServerIsTls);
    }

    [Fact]
    public async Task Connect_WithTls_ToAnotherHostOrServer()
    {
        Needs.Redis();
        using var certificates = new TestCertificates("redis.example");
        await using var server = await certificates.StartServerAsync();
        await FailsAsync($"rediss://127.0.0.1:{server.Port}?tls_ca_file={certificates.CaFile}", RespCause.CertificateNameMismatch);
        await using var plain = await RedisServer.StartAsync();
        await FailsAsync($"rediss://127.0.0.1:{plain.Port}", RespCause.ServerIsPlain, o => o with { ConnectTimeout = TimeSpan.FromSeconds(1) });
    }

    [Fact]
    public async Task Connect_ToNothing()
    {
        await FailsAsync($"redis://127.0.0.1:{RedisServer.FreePort()}", RespCause.Refused);
        await FailsAsync("redis://no-such-host.invalid", RespCause.NameNotFound);
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", RespCause.NotRedis)]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", RespCause.NotRedis)]
    [InlineData("220 mail ESMTP\r\n", RespCause.NotRedis)]
    [InlineData("\u0015\u0003\u0001\u0000\u0002\u0002\u0016", RespCause.ServerIsTls)]
    [InlineData("-DENIED Redis is running in protected mode\r\n", RespCause.Denied)]
    [InlineData("-ERR max number of clients reached\r\n", RespCause.HandshakeRefused)]
    [InlineData("", RespCause.ClosedByServer)]
    public async Task Connect_ToSomethingElse(string says, RespCause cause)
    {
        await using var fake = FakeServer.Answering(says);
        await FailsAsync($"redis://{fake.Endpoint}", cause);
    }

    [Fact]
    public async Task Connect_InTheOlderWay_ToServerThatDenies()
    {
        await using var fake = FakeServer.Answering("-DENIED Redis is running in protected mode\r\n");
        await FailsAsync($"redis://{fake.Endpoint}", RespCause.Denied, o => o with { Protocol = 2 });
    }

    [Fact]
    public async Task Connect_WithTls_ManyCallersUntilTheServerDies()
    {
        Needs.Redis();
        using var certificates = new TestCertificates();
        await using var server = await certificates.StartServerAsync();
        await using var connection = await ConnectAsync($"rediss://127.0.0.1:{server.Port}?tls_ca_file={certificates.CaFile}");
        var total = 0;
        var callers = Enumerable.Range(0, 16).Select(i => Task.Run(async () =>
        {
            for (var n = 0; ; n++)
            {
                using var reply = await connection.SendAsync(RespCommand.Create("ECHO", $"{i}-{n}"), TimeSpan.FromSeconds(20));
                if (!reply.HasReply)
                    return (n, reply.Failure);
                Assert.Equal($"{i}-{n}", reply.GetString());
                Interlocked.Increment(ref total);
            }
        })).ToArray();
        await Eventually.IsTrueAsync(() => Volatile.Read(ref total) > 1000, "callers run");
        await server.KillAsync();
        var ends = await Task.WhenAll(callers).WaitAsync(TimeSpan.FromSeconds(10));
        Assert.All(ends, e => Assert.True(e.n > 0 && e.Failure.Cause is RespCause.ClosedByServer or RespCause.ConnectionLost));
    }

    [Theory]
    [InlineData("-DENIED Redis is running in protected mode\r\n", RespCause.Denied)]
    [InlineData("-ERR max number of clients reached\r\n", RespCause.HandshakeRefused)]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", RespCause.NotRedis)]
    [InlineData("", RespCause.TimedOut)]
    public async Task Connect_ToSomethingThatGreets(string says, RespCause cause)
    {
        await using var fake = FakeServer.Greeting(says, hangsUp: false);
        var e = await FailsAsync($"redis://:{Secret}@{fake.Endpoint}", cause, o => o with { ConnectTimeout = TimeSpan.FromMilliseconds(500) });
        Assert.Equal(RespStage.Handshake, e.Failure.Stage);
    }

    [Fact]
    public async Task Connect_ToServerThatIsTooOldOrStillLoading()
    {
        const string Info = "redis_version:5.0.14\r\nrole:master\r\n";
        await using var old = FakeServer.Speaking(c => c[0] switch
        {
            "INFO" => $"${Info.Length}\r\n{Info}\r\n",
            "PING" => "+PONG\r\n",
            _ => $"-ERR unknown command `{c[0]}`\r\n",
        });
        var e = await FailsAsync($"redis://{old.Endpoint}", RespCause.TooOld);
        Assert.Contains("Redis 5.0.14", e.Message);
        await (await ConnectAsync($"redis://{old.Endpoint}", o => o with { MinimumVersion = new(5, 0) })).DisposeAsync();

        await using var loading = FakeServer.Speaking(c => c[0] == "HELLO" ? "%1\r\n+proto\r\n:3\r\n" : "-LOADING Redis is loading the dataset in memory\r\n");
        await FailsAsync($"redis://{loading.Endpoint}", RespCause.Loading);
    }

    [Fact]
    public async Task Connect_WhenCancelled_LeavesNothing()
    {
        await using var fake = FakeServer.Greeting("", hangsUp: false);
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        var options = RespOptions.Parse($"redis://{fake.Endpoint}");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => RespConnection.ConnectAsync(fake.Endpoint, options, cancellationToken: source.Token));
        await Assert.ThrowsAsync<ArgumentException>(() => RespConnection.ConnectAsync(fake.Endpoint, options with { Protocol = 4 }));
    }

    [Theory]
    [InlineData("redis_version:7.0.15\r\nredis_mode:standalone\r\nrun_id:abc\r\n", RespProduct.Redis, "7.0.15")]
    [InlineData("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.0\r\nserver_mode:standalone\r\n", RespProduct.Valkey, "8.1.0")]
    [InlineData("redis_version:8.0-rc1\r\n", RespProduct.Redis, "8.0")]
    public void ServerInfo_IsReadFromInfo(string info, RespProduct product, string version)
    {
        var buffer = ReplyBuffer.Rent(System.Text.Encoding.ASCII.GetBytes($"${info.Length}\r\n{info}\r\n"), out var lease);
        var server = RespServerInfoReader.Read(2, default, new RespReply(buffer, lease), default);
        Assert.Equal((product, version), (server.Product, server.Version?.ToString()));
        Assert.Equal($"{product} {version}", server.ToString());
    }

    private static Task<RespConnection> ConnectAsync(string url, Func<RespOptions, RespOptions>? adjust = null)
    {
        var options = RespOptions.Parse(url);
        return RespConnection.ConnectAsync(options.Endpoints[0], adjust?.Invoke(options) ?? options);
    }

    private static async Task<RespFailureException> FailsAsync(string url, RespCause cause, Func<RespOptions, RespOptions>? adjust = null)
    {
        var e = await Assert.ThrowsAsync<RespFailureException>(() => ConnectAsync(url, adjust));
        Assert.True(cause == e.Failure.Cause, $"{url}: expected {cause}, got {e.Failure}: {e.Message} {e.InnerException}");
        Assert.StartsWith($"{RespOptions.Parse(url).Endpoints[0]}: ", e.Message);
        Assert.DoesNotContain(Secret, e.ToString());
        return e;
    }
}
