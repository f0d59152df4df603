using System.Net;
using System.Net.Sockets;
using Weir.TestKit;
using Weir.TestKit.Redis;

namespace Weir.Resp.Tests.Connections;

public sealed partial class RespConnectionTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly RespFailure TimedOut = new(RespStage.Command, RespCause.TimedOut, RespExecution.MayHaveExecuted);

    private readonly ManualTimeProvider _time = new();
    private readonly ScriptedStream _server = new();
    private readonly List<string> _pushes = [];
    private readonly RespConnection _connection;

    public RespConnectionTests() => _connection = Connect(_server, new RespOptions { MaxPending = 100, MaxUnsentBytes = 10_000 });

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    [Fact]
    public async Task Send_ManyAtOnce_EachGetsItsReply()
    {
        var tasks = Enumerable.Range(0, 50).Select(i => Send($"c{i}")).ToArray();
        await Written("c49");
        foreach (var i in Enumerable.Range(0, 50))
            _server.Feed($"$3\r\nr{i:00}\r\n");
        for (var i = 0; i < 50; i++)
            Assert.Equal($"r{i:00}", await Text(tasks[i]));
        Assert.Equal(0, _connection.Pending);
    }

    [Fact]
    public async Task Send_RepliesByteByByte_AreTheSame()
    {
        var tasks = new[] { Send("a"), Send("b"), Send("c") };
        await Written("c");
        foreach (var c in "+one\r\n*2\r\n$5\r\nhello\r\n:7\r\n-ERR three\r\n")
            _server.Feed($"{c}");
        Assert.Equal("one", await Text(tasks[0]));
        using var array = await tasks[1].WaitAsync(Patience);
        Assert.Equal("*2\r\n$5\r\nhello\r\n:7\r\n"u8, array.Bytes);
        using var error = await tasks[2].WaitAsync(Patience);
        Assert.Equal((true, RespErrorKind.Other, "ERR three"), (error.IsError, error.ErrorKind, error.ErrorMessage));
        Assert.Throws<RespServerException>(() => error.GetInt64());
    }

    [Fact]
    public async Task Send_LargeReply_GrowsAndShrinksTheBuffer()
    {
        for (var round = 0; round < 2; round++)
        {
            var task = Send("a");
            _server.Feed("$3000000\r\n");
            for (var i = 0; i < 3000; i++)
                _server.Feed(new string((char)('a' + (i % 26)), 1000));
            _server.Feed("\r\n");
            using var reply = await task.WaitAsync(Patience);
            Assert.Equal(3_000_000, reply.Root().Bytes.Length);
            Assert.Equal((byte)('a' + (2999 % 26)), reply.Root().Bytes[^1]);
        }
    }

    [Fact]
    public async Task Send_WhileTheSocketIsBusy_GoesOutInOneWrite()
    {
        _server.HoldWrites();
        var first = Send("first");
        await Eventually.IsTrueAsync(() => _server.Writes == 1, "the first command is being written");
        var others = Enumerable.Range(0, 90).Select(i => Send($"c{i}")).ToArray();
        Assert.Equal(1, _server.Writes);
        _server.ReleaseWrites();
        await Eventually.IsTrueAsync(() => _server.Written.Contains("c89"), "all is written");
        Assert.Equal(2, _server.Writes);
        for (var i = 0; i <= 90; i++)
            _server.Feed(":1\r\n");
        await Task.WhenAll([first, .. others]).WaitAsync(Patience);
    }

    [Fact]
    public async Task Timeout_KeepsTheSlot_SoThatTheLateReplyIsDropped()
    {
        var late = Send("late", TimeSpan.FromMilliseconds(20));
        var patient = Send("patient");
        await Written("patient");
        _time.Advance(TimeSpan.FromMilliseconds(19));
        Assert.False(late.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(6));
        Assert.Equal(TimedOut, (await late.WaitAsync(Patience)).Failure);
        Assert.Equal(2, _connection.Pending);
        var next = Send("next");
        await Written("next");
        _server.Feed("+for-late\r\n+for-patient\r\n+for-next\r\n");
        Assert.Equal("for-patient", await Text(patient));
        Assert.Equal("for-next", await Text(next));
        Assert.Equal(0, _connection.Pending);
    }

    [Fact]
    public async Task Timeout_ShorterThanThatOfAnEarlierCommand_IsKept()
    {
        var patient = Send("a", TimeSpan.FromMilliseconds(200));
        var hasty = Send("b", TimeSpan.FromMilliseconds(20));
        _time.Advance(TimeSpan.FromMilliseconds(19));
        Assert.False(hasty.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(6));
        using var late = await hasty.WaitAsync(Patience);
        Assert.Equal(TimedOut, late.Failure);
        _time.Advance(TimeSpan.FromMilliseconds(170));
        Assert.False(patient.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(10));
        using var later = await patient.WaitAsync(Patience);
        Assert.Equal(TimedOut, later.Failure);
    }

    [Fact]
    public async Task Cancel_KeepsTheSlot()
    {
        using var source = new CancellationTokenSource();
        var cancelled = _connection.SendAsync(RespCommand.Create("a"), default, source.Token).AsTask();
        var next = Send("b");
        await Written("b");
        await source.CancelAsync();
        var thrown = await Assert.ThrowsAsync<OperationCanceledException>(() => cancelled.WaitAsync(Patience));
        Assert.Equal(source.Token, thrown.CancellationToken);
        _server.Feed("+for-a\r\n+for-b\r\n");
        Assert.Equal("for-b", await Text(next));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _connection.SendAsync(RespCommand.Create("c"), default, source.Token).AsTask());
        Assert.DoesNotContain("$1\r\nc\r\n", _server.Written);
    }

    [Fact]
    public async Task Push_GoesToItsHandler_AndNotToCallers()
    {
        var task = Send("a");
        _server.Feed(">2\r\n+invalidate\r\n$1\r\nk\r\n+reply\r\n>1\r\n+throw\r\n>1\r\n+last\r\n");
        Assert.Equal("reply", await Text(task));
        await Eventually.IsTrueAsync(() => _pushes.Count == 3, "all messages are handled");
        Assert.Equal(["invalidate", "throw", "last"], _pushes);
    }

    [Fact]
    public async Task Reply_AfterDispose_IsNotReadable()
    {
        var first = Send("a");
        _server.Feed("+one\r\n");
        var reply = await first.WaitAsync(Patience);
        reply.Dispose();
        reply.Dispose();
        Assert.Throws<ObjectDisposedException>(() => reply.GetString());
        var (second, third) = (Send("b"), Send("c"));
        await Written("c");
        _server.Feed("+two\r\n+three\r\n");
        using var other = await second.WaitAsync(Patience);
        using var another = await third.WaitAsync(Patience);
        reply.Dispose();
        Assert.Equal(("two", "three"), (other.GetString(), another.GetString()));
    }

    [Fact]
    public async Task Send_InPlace_WritesOnItsOwnThread()
    {
        var first = Send("a");
        var second = _connection.SendAsync(new InPlace("b")).AsTask();
        Assert.Contains("b", _server.Written);
        _server.Feed("+one\r\n+two\r\n");
        Assert.Equal(("one", "two"), (await Text(first), await Text(second)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Send_InPlace_HoldsUpLaterReplies_AndOthersDoNot(bool inPlace)
    {
        var first = SendAndLinger();
        var next = Send("b");
        await Written("b");
        _server.Feed("+one\r\n+two\r\n");
        Assert.Equal(inPlace ? 1 : 0, await first.WaitAsync(Patience));
        Assert.Equal("two", await Text(next));

        async Task<int> SendAndLinger()
        {
            using var reply = await _connection.SendAsync(inPlace ? new InPlace("a") : RespCommand.Create("a")).ConfigureAwait(false);
            SpinWait.SpinUntil(() => _connection.Pending == 0, inPlace ? TimeSpan.FromMilliseconds(200) : Patience);
            return _connection.Pending;
        }
    }

    [Fact]
    public async Task Deadline_WaitsForWhatLiesInTheSocket_ForAWhile()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var near = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await near.ConnectAsync(listener.LocalEndpoint!);
        using var far = await listener.AcceptSocketAsync();
        // The receiving thread does not get round to the socket.
        await using var stream = new ScriptedStream();
        await using var connection = new RespConnection(
            stream, near, new RespEndpoint("test", 1), new RespOptions { DeadlineResolution = TimeSpan.FromMilliseconds(2) }, _time, new RespConnectionEvents());
        connection.Start();
        var silent = connection.SendAsync(RespCommand.Create("PING"), TimeSpan.FromMilliseconds(20)).AsTask();
        Advance(30);
        Assert.Equal(TimedOut, (await silent.WaitAsync(Patience)).Failure);

        far.Send("+PONG"u8);
        await Eventually.IsTrueAsync(() => near.Available > 0, "something has arrived");
        var asked = connection.SendAsync(RespCommand.Create("PING"), TimeSpan.FromMilliseconds(20)).AsTask();
        Advance(110);
        Assert.False(asked.IsCompleted);
        Advance(30);
        Assert.Equal(TimedOut, (await asked.WaitAsync(Patience)).Failure);

        void Advance(int milliseconds)
        {
            for (var i = 0; i < milliseconds; i++)
                _time.Advance(TimeSpan.FromMilliseconds(1));
        }
    }

    // Its reply comes with the other one, or after it.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Deadline_WaitsWhileThisProcessIsBusyWithReplies(bool together)
    {
        Needs.Redis();
        await using var server = await RedisServer.StartAsync();
        await using var connection = await RespConnection.ConnectAsync(
            new RespEndpoint("127.0.0.1", server.Port), new RespOptions { DeadlineResolution = TimeSpan.FromMilliseconds(2) });
        using var isBusy = new ManualResetEventSlim();
        var failed = 0;
        for (var round = 0; round < 10; round++)
        {
            isBusy.Reset();
            var busy = HoldUpAsync(connection, isBusy);
            var asked = together ? connection.SendAsync(new InPlace("PING"), TimeSpan.FromMilliseconds(20)).AsTask() : null;
            await Task.Run(() => isBusy.Wait(Patience));
            asked ??= connection.SendAsync(new InPlace("PING"), TimeSpan.FromMilliseconds(20)).AsTask();
            using var reply = await asked;
            failed += reply.IsValue ? 0 : 1;
            await busy;
        }
        Assert.Equal(0, failed);
    }

    // Holds up the thread that receives for longer than the other command's deadline.
    private static async Task HoldUpAsync(RespConnection connection, ManualResetEventSlim isBusy)
    {
        using var reply = await connection.SendAsync(new InPlace("PING"));
        isBusy.Set();
        using var never = new ManualResetEventSlim();
        never.Wait(TimeSpan.FromMilliseconds(35));
    }

    private RespConnection Connect(Stream stream, RespOptions options)
    {
        var events = new RespConnectionEvents
        {
            OnPush = (ref message) =>
            {
                message.Read();
                _pushes.Add(message.GetString()!);
                if (_pushes[^1] == "throw")
                    throw new InvalidOperationException();
            },
        };
        var connection = new RespConnection(stream, null, new RespEndpoint("test", 1), options, _time, events);
        connection.Start();
        return connection;
    }

    private Task<RespReply> Send(string command, TimeSpan timeout = default) => _connection.SendAsync(RespCommand.Create(command), timeout).AsTask();

    private Task Written(string text) => Eventually.IsTrueAsync(() => _server.Written.Contains(text), $"{text} is written");

    private static async Task<string?> Text(Task<RespReply> task)
    {
        using var reply = await task.WaitAsync(Patience);
        return reply.GetString();
    }

    private sealed class InPlace(string name) : IRespCommand
    {
        public bool StaysInPlace => true;

        public void Write(ref RespCommandWriter writer)
        {
            writer.Begin(1);
            writer.Write(System.Text.Encoding.ASCII.GetBytes(name));
        }
    }

    private sealed class Incomplete : IRespCommand
    {
        public void Write(ref RespCommandWriter writer)
        {
            writer.Begin(2);
            writer.Write("GET"u8);
        }
    }

    private sealed class Recursive(RespConnection connection) : IRespCommand
    {
        public void Write(ref RespCommandWriter writer)
        {
            writer.Begin(1);
            Assert.NotNull(connection.SendAsync(this).AsTask());
        }
    }
}
