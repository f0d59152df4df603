using System.Collections.Concurrent;
using Weir.Resp.Tests.Connections;
using Weir.TestKit.Redis;

namespace Weir.Resp.Tests.Clients;

public class RespClientTests
{
    private static readonly RespCommand Ping = RespCommand.Create("PING");

    // Generous, because the machine is shared: a command that waits for its connection to be given up takes 2 s.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Reconnect_WhenTheServerComesBack()
    {
        Needs.Redis();
        await using var server = await RedisServer.StartAsync();
        await using var client = new RespClient(RespOptions.Parse($"redis://127.0.0.1:{server.Port}"));
        var states = new ConcurrentQueue<RespClientState>();
        client.StateChanged += (_, e) => states.Enqueue(e.State);
        client.StateChanged += (_, _) => throw new InvalidOperationException("A listener that fails.");
        await client.ConnectAsync();
        var runId = client.State.Server!.RunId;

        await server.KillAsync();
        await Eventually.IsTrueAsync(() => client.State.FailedAttempts >= 2, "the client has tried again in vain");
        using (var reply = await client.SendAsync(Ping))
            Assert.Equal(new RespFailure(RespStage.Command, RespCause.NotConnected), reply.Failure);
        Assert.Equal(RespCause.Refused, client.State.Reason!.Failure.Cause);

        await server.StartAsync();
        await client.WaitForConnectionAsync().WaitAsync(TimeSpan.FromSeconds(5));
        await Eventually.IsTrueAsync(() => client.State.IsConnected, "the client is connected");
        Assert.NotEqual(runId, client.State.Server!.RunId);
        using (var reply = await client.SendAsync(Ping))
            Assert.Equal("PONG", reply.GetString());
        var seen = states.ToArray();
        Assert.True(seen[0].IsConnected && seen[^1].IsConnected);
        Assert.Equal(RespStage.Session, seen[1].Reason!.Failure.Stage);
        Assert.Equal(RespCause.Refused, seen[2].Reason!.Failure.Cause);
    }

    [Fact]
    public async Task Connect_WhenTheFirstAttemptFails_SaysWhyAndGoesOn()
    {
        Needs.Redis();
        await using var server = await RedisServer.StartAsync();
        var port = server.Port;
        await server.KillAsync();
        await using var client = new RespClient(RespOptions.Parse($"redis://127.0.0.1:{port}"));
        var e = await Assert.ThrowsAsync<RespFailureException>(() => client.ConnectAsync());
        Assert.Equal(new RespFailure(RespStage.Connect, RespCause.Refused), e.Failure);
        Assert.Contains($"127.0.0.1:{port}: Nothing listens there.", e.Message);
        await server.StartAsync();
        await Eventually.IsTrueAsync(() => client.State.IsConnected, "the client is connected");
    }

    [Fact]
    public async Task Paused_Server_DeadlinesHold_AndTheClientRecovers()
    {
        Needs.Redis();
        await using var server = await RedisServer.StartAsync();
        var options = RespOptions.Parse($"redis://127.0.0.1:{server.Port}") with
        {
            ConnectTimeout = TimeSpan.FromMilliseconds(500),
            StallTimeout = TimeSpan.FromMilliseconds(300),
        };
        await using var client = new RespClient(options);
        await client.ConnectAsync();
        server.Pause();
        var since = TimeProvider.System.GetTimestamp();
        using (var reply = await client.SendAsync(Ping, TimeSpan.FromMilliseconds(20)))
            Assert.Equal(new RespFailure(RespStage.Command, RespCause.TimedOut, RespExecution.MayHaveExecuted), reply.Failure);
        Assert.InRange(TimeProvider.System.GetElapsedTime(since), TimeSpan.FromMilliseconds(20), Soon);
        await Eventually.IsTrueAsync(
            () => client.State.Reason?.Failure is { Stage: RespStage.Handshake, Cause: RespCause.TimedOut }, "the client finds that the server accepts and is silent");
        server.Resume();
        await Eventually.IsTrueAsync(() => client.State.IsConnected, "the client is connected again");
        using (var reply = await client.SendAsync(Ping))
            Assert.Equal("PONG", reply.GetString());
    }

    [Fact]
    public async Task Idle_ConnectionThatDied_IsFound()
    {
        Needs.Redis();
        await using var server = await RedisServer.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        var options = RespOptions.Parse($"redis://127.0.0.1:{proxy.Port}") with
        {
            KeepAlive = TimeSpan.FromMilliseconds(50),
            StallTimeout = TimeSpan.FromMilliseconds(200),
            ConnectTimeout = TimeSpan.FromMilliseconds(300),
        };
        await using var client = new RespClient(options);
        var reasons = new ConcurrentQueue<RespCause?>();
        client.StateChanged += (_, e) => reasons.Enqueue(e.State.Reason?.Failure.Cause);
        await client.ConnectAsync();
        proxy.HoldReplies = true;
        await Eventually.IsTrueAsync(() => reasons.Contains(RespCause.Stalled), "the connection is given up");
        proxy.HoldReplies = false;
        await Eventually.IsTrueAsync(() => client.State.IsConnected, "the client is connected again");
    }

    [Fact]
    public async Task Cut_AtAnyByteOfTheReply_IsAFailureOrTheWholeReply()
    {
        Needs.Redis();
        await using var server = await RedisServer.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var client = new RespClient(Fast(proxy.Port));
        await client.ConnectAsync();
        const string Nonce = "0123456789";
        var whole = $"${Nonce.Length}\r\n{Nonce}\r\n".Length;
        for (var cut = 1; cut <= whole; cut++)
        {
            await client.WaitForConnectionAsync();
            proxy.CutAfterReplyBytes(cut);
            using var reply = await client.SendAsync(RespCommand.Create("ECHO", Nonce));
            if (cut < whole)
                Assert.Equal(RespExecution.MayHaveExecuted, reply.Failure.Execution);
            else if (reply.HasReply)
                Assert.Equal(Nonce, reply.GetString());
            await Eventually.IsTrueAsync(() => proxy.Connections > cut, "the client connects again");
            await Eventually.IsTrueAsync(() => client.State.IsConnected, "the client is connected again");
        }
    }

    [Fact]
    public async Task Demoted_Server_IsLeft_AndTakenAgainWhenItIsAPrimary()
    {
        Needs.Redis();
        await using var server = await RedisServer.StartAsync();
        await using var client = new RespClient(Fast(server.Port));
        await client.ConnectAsync();
        server.Call("REPLICAOF", "127.0.0.1", "1");
        using (var reply = await client.SendAsync(RespCommand.Create("SET", "a", "1")))
            Assert.Equal(RespErrorKind.ReadOnly, reply.ErrorKind);
        await Eventually.IsTrueAsync(() => client.State.Reason?.Failure.Cause == RespCause.NotPrimary, "the client finds a replica");
        server.Call("REPLICAOF", "NO", "ONE");
        await Eventually.IsTrueAsync(() => client.State.IsConnected, "the client is connected again");
    }

    [Fact]
    public async Task Dispose_EndsEverything()
    {
        Needs.Redis();
        await using var server = await RedisServer.StartAsync();
        var client = new RespClient(Fast(server.Port));
        await client.ConnectAsync();
        server.Pause();
        var waiting = client.SendAsync(Ping, TimeSpan.FromMinutes(1)).AsTask();
        await client.DisposeAsync();
        await client.DisposeAsync();
        Assert.Equal(RespCause.Disposed, (await waiting).Failure.Cause);
        using var afterwards = await client.SendAsync(Ping);
        Assert.False(afterwards.HasReply);
        server.Resume();

        var never = new RespClient(Fast(1));
        await never.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => never.WaitForConnectionAsync());
    }

    [Fact]
    public async Task Connect_ToNothing_LeavesNoConnectionBehind()
    {
        await using var fake = FakeServer.Greeting("", hangsUp: true);
        await using var client = new RespClient(Fast(fake.Endpoint.Port));
        var e = await Assert.ThrowsAsync<RespFailureException>(() => client.ConnectAsync());
        Assert.Equal(RespStage.Handshake, e.Failure.Stage);
    }

    [Fact]
    public void Create_ChoosesByTopology()
    {
        Assert.IsType<RespClient>(RespClients.Create(RespOptions.Parse("redis://a")));
        Assert.IsType<RespClient>(RespClients.Create(RespOptions.Parse("redis-sentinel://a/b")));
        Assert.IsType<RespClusterClient>(RespClients.Create(RespOptions.Parse("redis+cluster://a")));
        Assert.Throws<ArgumentException>(() => new RespClient(RespOptions.Parse("redis+cluster://a")));
        Assert.Throws<ArgumentException>(() => new RespClusterClient(RespOptions.Parse("redis://a")));
    }

    [Fact]
    public void BackOff_DoublesWithJitterUpToItsMost()
    {
        var backOff = new BackOff(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(1));
        double[] full = [50, 100, 200, 400, 800, 1000, 1000];
        for (var round = 0; round < 50; round++)
        {
            foreach (var millis in full)
                Assert.InRange(backOff.Next().TotalMilliseconds, millis / 2, millis);
            backOff.Reset();
        }
        var spread = Enumerable.Range(0, 50).Select(_ => { backOff.Reset(); return backOff.Next(); }).Distinct().Count();
        Assert.True(spread > 10);
    }

    private static RespOptions Fast(int port) => RespOptions.Parse($"redis://127.0.0.1:{port}") with { MinBackOff = TimeSpan.FromMilliseconds(5), MaxBackOff = TimeSpan.FromMilliseconds(20) };
}
