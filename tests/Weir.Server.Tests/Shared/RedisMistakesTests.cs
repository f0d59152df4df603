using System.Net;
using System.Net.Sockets;
using System.Text;
using Weir.Server.Hosting;
using Weir.Server.Tests.Http;
using Weir.TestKit.Redis;

namespace Weir.Server.Tests.Shared;

/// <summary>What is wrong for good stops the start, with a line that names the setting and the cure.</summary>
public sealed class RedisMistakesTests
{
    private const string Setting = "RATELIMITER_REDIS_URL: ";

    [Theory]
    [InlineData(
        "redis://:wrong@127.0.0.1:{0}",
        "127.0.0.1:{0}: User or password is wrong, or the user is disabled. Check the part of the URL before '@', or sentinel_password if it is a Sentinel. (WRONGPASS invalid username-password pair or user is disabled.)")]
    [InlineData(
        "redis://127.0.0.1:{0}",
        "127.0.0.1:{0}: The server wants a password. Write it in the URL as redis://:password@host or redis://user:password@host, for a Sentinel as ?sentinel_password=password. (NOAUTH ")]
    [InlineData(
        "redis://:s3cret@127.0.0.1:{0}/99",
        "127.0.0.1:{0}: The server refuses the database. Check the number after the host and the server's 'databases' setting. (ERR DB index is out of range)")]
    [InlineData("rediss://:s3cret@127.0.0.1:{0}", "127.0.0.1:{0}: The server speaks without TLS. Write redis:// instead of rediss://, or use its TLS port.")]
    [InlineData(
        "redis+cluster://:s3cret@127.0.0.1:{0}", "127.0.0.1:{0}: The server does not belong to a Cluster. Write redis:// instead of redis+cluster://.")]
    [InlineData(
        "redis-sentinel://127.0.0.1:{0}/main?sentinel_password=s3cret",
        "127.0.0.1:{0}: The server is not a Sentinel. Write redis:// for one server, or use the Sentinel's port, usually 26379.")]
    public async Task Start_WithAUrlThatDoesNotFitTheServer_SaysWhatDoes(string url, string message)
    {
        await using var nodes = await SharedNodes.StartAsync("--requirepass", "s3cret");

        Assert.StartsWith(Setting + string.Format(message, nodes.Server.Port), await FailAsync(string.Format(url, nodes.Server.Port)));
    }

    [Theory]
    [InlineData("--maxmemory 100mb --maxmemory-policy allkeys-lru",
        "Redis at 127.0.0.1:{0}: When its memory is full the server drops counters, and who was refused would be allowed (maxmemory-policy is allkeys-lru). Set maxmemory-policy noeviction there.")]
    [InlineData("--replicaof 127.0.0.1 1", "127.0.0.1:{0}: The server is a replica. Name its primary, or let Sentinels find it with redis-sentinel://.")]
    [InlineData("--cluster-enabled yes", "127.0.0.1:{0}: The server belongs to a Cluster. Write redis+cluster:// instead of redis://.")]
    [InlineData("--user default on nopass ~* +@all -evalsha -eval",
        "Redis at redis://127.0.0.1:{0}: The user may not do what nodes need. Allow it every key with the prefix, all commands but dangerous ones, and INFO. It said: NOPERM ")]
    [InlineData("--user default on nopass ~other:* +@all",
        "Redis at redis://127.0.0.1:{0}: The user may not do what nodes need. Allow it every key with the prefix, all commands but dangerous ones, and INFO. It said: NOPERM ")]
    public async Task Start_WithAServerThatWillNotDo_SaysWhy(string arguments, string message)
    {
        await using var nodes = await SharedNodes.StartAsync(arguments.Split(' '));

        Assert.StartsWith(Setting + string.Format(message, nodes.Server.Port), await FailAsync(nodes.Url));
    }

    [Fact]
    public async Task Start_WithAServerThatSpeaksTls_SaysSo()
    {
        Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
        using var certificates = new TestCertificates();
        using var others = new TestCertificates();
        using var elsewhere = new TestCertificates("elsewhere.example");
        await using var server = await certificates.StartServerAsync();
        await using var foreign = await elsewhere.StartServerAsync();

        Assert.Equal(
            $"{Setting}127.0.0.1:{server.Port}: The server speaks TLS. Write rediss:// instead of redis://, or use its plain port.",
            await FailAsync($"redis://127.0.0.1:{server.Port}"));
        Assert.StartsWith(
            $"{Setting}127.0.0.1:{server.Port}: The server's certificate is not trusted. Name its authority with ?tls_ca_file=, or renew the certificate.",
            await FailAsync($"rediss://127.0.0.1:{server.Port}?tls_ca_file={others.CaFile}"));
        Assert.StartsWith(
            $"{Setting}127.0.0.1:{server.Port}: The file of trusted authorities cannot be read. Check the path, its permissions, and that it is PEM.",
            await FailAsync($"rediss://127.0.0.1:{server.Port}?tls_ca_file=/no/such/file"));
        Assert.StartsWith(
            $"{Setting}127.0.0.1:{foreign.Port}: The server's certificate is for another host. Use the name that it is for, or add this host to it.",
            await FailAsync($"rediss://127.0.0.1:{foreign.Port}?tls_ca_file={elsewhere.CaFile}"));
        await using var node = await RunningNode.OnRealTimeAsync(null, ("REDIS_URL", $"rediss://127.0.0.1:{server.Port}?tls_ca_file={certificates.CaFile}"));
        await node.IsReadyAsync();
    }

    [Fact]
    public async Task Start_WithASentinel_SaysHowToNameIt()
    {
        Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
        await using var sentinel = await RedisServer.StartAsync(static _ => ["--sentinel"], "port {port}");

        Assert.Equal(
            $"{Setting}127.0.0.1:{sentinel.Port}: The server is a Sentinel. Write redis-sentinel://host/name, or name the server with the data.",
            await FailAsync($"redis://127.0.0.1:{sentinel.Port}"));
        Assert.Equal(
            $"{Setting}127.0.0.1:{sentinel.Port}: No Sentinel knows a primary of that name. Check the name after the hosts. (the name is 'main')",
            await FailAsync($"redis-sentinel://127.0.0.1:{sentinel.Port}/main"));
    }

    [Fact]
    public async Task Start_WithSomethingElse_SaysWhatItSaid()
    {
        await using var other = new Answering(static command => command == "HELLO" ? "HTTP/1.1 400 Bad Request\r\n\r\n" : "");

        Assert.Equal(
            $"{Setting}127.0.0.1:{other.Port}: What answers there is not Redis or Valkey. Check host and port. (it said 'HTTP/1.1 400 Bad Request')",
            await FailAsync($"redis://127.0.0.1:{other.Port}"));
    }

    [Fact]
    public async Task Start_WithAServerThatIsTooOld_SaysSo()
    {
        await using var old = new Answering(static command => command switch
        {
            "HELLO" => "%7\r\n+server\r\n+redis\r\n+version\r\n+6.0.16\r\n+proto\r\n:3\r\n+id\r\n:1\r\n+mode\r\n+standalone\r\n+role\r\n+master\r\n+modules\r\n*0\r\n",
            "PING" => "+PONG\r\n",
            _ => "-ERR unknown command\r\n",
        });

        Assert.Equal(
            $"{Setting}127.0.0.1:{old.Port}: The server is too old. Update it. (it is Redis 6.0.16, and at least Redis 6.2 is needed)",
            await FailAsync($"redis://127.0.0.1:{old.Port}"));
    }

    [Fact]
    public async Task Start_WhereAnotherProgramUsesThePrefix_SaysSo()
    {
        await using var nodes = await SharedNodes.StartAsync();
        nodes.Server.Call("SET", "weir:{nodes}:seed", "mine");

        Assert.Equal(
            $"{Setting}Redis at {nodes.Url}: The key weir:{{nodes}}:seed does not hold what a node wrote there. Delete it, or choose another prefix.",
            await FailAsync(nodes.Url));
    }

    [Fact]
    public async Task Run_EndsWithOne()
    {
        await using var nodes = await SharedNodes.StartAsync("--requirepass", "s3cret");

        Assert.Equal(1, await Node.RunAsync(RunningNode.Config(("REDIS_URL", nodes.Url)), default));
    }

    // One line, and never a password. Nothing is left behind.
    private static async Task<string> FailAsync(string url)
    {
        var failure = await Assert.ThrowsAsync<NodeStartException>(() => Node.StartAsync(RunningNode.Config(("REDIS_URL", url)), null, default));

        Assert.DoesNotContain('\n', failure.Message);
        Assert.DoesNotContain("s3cret", failure.Message);
        return failure.Message;
    }

    /// <summary>Something that listens and answers each command in its own way.</summary>
    private sealed class Answering : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Task _serving;

        public Answering(Func<string, string> answer)
        {
            _listener.Start();
            _serving = ServeAsync(answer);
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _serving;
            _listener.Dispose();
        }

        private async Task ServeAsync(Func<string, string> answer)
        {
            try
            {
                while (true)
                {
                    var client = await _listener.AcceptTcpClientAsync();
                    _ = Task.Run(() => Speak(client, answer));
                }
            }
            catch (Exception e) when (e is SocketException or InvalidOperationException)
            {
                // The test is over.
            }
        }

        private static void Speak(TcpClient client, Func<string, string> answer)
        {
            using (client)
            using (var stream = new BufferedStream(client.GetStream()))
            {
                try
                {
                    while (true)
                    {
                        var command = PlainReply.Read(stream).Items[0].Text;
                        client.GetStream().Write(Encoding.Latin1.GetBytes(answer(command)));
                    }
                }
                catch (Exception e) when (e is IOException or FormatException)
                {
                    // The client has gone, or speaks TLS.
                }
            }
        }
    }
}
