using Weir.TestKit;
using Weir.TestKit.Redis;

namespace Weir.Resp.Tests.Connections;

public sealed class RespConnectionTests : IAsyncDisposable
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
    public async Task Lost_TellsWhatWasNotSent()
    {
        _server.HoldWrites();
        var sent = Send("sent");
        await Eventually.IsTrueAsync(() => _server.Writes == 1, "the first command is being written");
        var unsent = Send("unsent");
        _server.Break();
        Assert.Equal(new RespFailure(RespStage.Session, RespCause.ConnectionLost, RespExecution.MayHaveExecuted), (await sent.WaitAsync(Patience)).Failure);
        using var reply = await unsent.WaitAsync(Patience);
        Assert.Equal(new RespFailure(RespStage.Session, RespCause.ConnectionLost), reply.Failure);
        Assert.Equal(RespExecution.NotSent, reply.Failure.Execution);
        Assert.Equal(reply.Failure, Assert.Throws<RespFailureException>(() => reply.GetInt64()).Failure);
        var reason = await _connection.Closed.WaitAsync(Patience);
        Assert.Contains("reset by peer", reason.Message);
        using var afterwards = await Send("afterwards");
        Assert.Equal(new RespFailure(RespStage.Command, RespCause.ConnectionLost), afterwards.Failure);
        _server.ReleaseWrites();
        Assert.DoesNotContain("unsent", _server.Written);
    }

    [Fact]
    public async Task Lost_AfterATimeout_CompletesEachOnce()
    {
        var late = Send("late", TimeSpan.FromMilliseconds(1));
        var waiting = Send("waiting", TimeSpan.FromMinutes(1));
        await Written("waiting");
        _time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.Equal(TimedOut, (await late.WaitAsync(Patience)).Failure);
        _server.Hangup();
        Assert.Equal(RespCause.ClosedByServer, (await waiting.WaitAsync(Patience)).Failure.Cause);
    }

    [Theory]
    [InlineData("+unasked\r\n", "no command asked")]
    [InlineData("HTTP/1.1 200 OK\r\n", "0x48")]
    public async Task Received_WhatCannotBeAReply_EndsTheConnection(string bytes, string message)
    {
        _server.Feed(bytes);
        var reason = await _connection.Closed.WaitAsync(Patience);
        Assert.Equal(RespCause.ProtocolViolation, reason.Failure.Cause);
        Assert.Contains(message, reason.Message);
    }

    [Fact]
    public async Task Received_ReplyToWhatWasNotSentYet_EndsTheConnection()
    {
        _server.HoldWrites();
        var sent = Send("sent");
        await Eventually.IsTrueAsync(() => _server.Writes == 1, "the first command is being written");
        var unsent = Send("unsent");
        _server.Feed("+1\r\n+2\r\n");
        Assert.Equal("1", await Text(sent));
        Assert.Equal(new RespFailure(RespStage.Session, RespCause.ProtocolViolation), (await unsent.WaitAsync(Patience)).Failure);
    }

    [Fact]
    public async Task Queue_WhenFull_RefusesAtOnce()
    {
        var waiting = Enumerable.Range(0, 100).Select(_ => Send("a")).ToArray();
        using var refused = await Send("one too many");
        Assert.Equal(new RespFailure(RespStage.Command, RespCause.QueueFull), refused.Failure);
        await Eventually.IsTrueAsync(() => _server.Written.Length == 100 * "*1\r\n$1\r\na\r\n".Length, "all is written");
        _server.Feed("+x\r\n");
        Assert.Equal("x", await Text(waiting[0]));
        var again = Send("again");
        await Written("again");
        for (var i = 0; i < 100; i++)
            _server.Feed($":{i}\r\n");
        Assert.Equal("99", await Text(again));
    }

    [Fact]
    public async Task Queue_WhenBytesAreTooMany_RefusesAtOnce()
    {
        _server.HoldWrites();
        _ = Send("first");
        await Eventually.IsTrueAsync(() => _server.Writes == 1, "the first command is being written");
        _ = Send(new string('x', 10_000));
        using var refused = await Send("a");
        Assert.Equal(RespCause.QueueFull, refused.Failure.Cause);
        _server.ReleaseWrites();
    }

    [Fact]
    public async Task Write_WhenItThrows_LeavesNothingBehind()
    {
        Assert.Throws<InvalidOperationException>(() => _connection.SendAsync(new Incomplete()).AsTask().Exception);
        Assert.Throws<InvalidOperationException>(() => _connection.SendAsync(new Recursive(_connection)).AsTask().Exception);
        var task = Send("b");
        await Written("b");
        Assert.Equal("*1\r\n$1\r\nb\r\n", _server.Written);
        _server.Feed("+ok\r\n");
        Assert.Equal("ok", await Text(task));
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
    public async Task Stall_EndsTheConnection()
    {
        var task = Send("a", TimeSpan.FromMinutes(1));
        await Written("a");
        _time.Advance(TimeSpan.FromSeconds(1.9));
        _server.Feed("$100\r\n");
        await Task.Yield();
        Assert.False(_connection.Closed.IsCompleted);
        for (var i = 0; i < 10 && !_connection.Closed.IsCompleted; i++)
            _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(new RespFailure(RespStage.Session, RespCause.Stalled, RespExecution.MayHaveExecuted), (await task.WaitAsync(Patience)).Failure);
    }

    [Fact]
    public async Task Stall_WhenThisProcessStoodStill_IsNotTheServersFault()
    {
        var task = Send("a", TimeSpan.FromMinutes(1));
        await Written("a");
        _time.Advance(TimeSpan.FromMilliseconds(100));
        _time.Suspend(TimeSpan.FromSeconds(30));
        _time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.False(_connection.Closed.IsCompleted);
        _server.Feed("+ok\r\n");
        Assert.Equal("ok", await Text(task));
    }

    [Fact]
    public async Task Idle_ForLong_IsNoStall()
    {
        _time.Advance(TimeSpan.FromMinutes(5));
        var task = Send("a");
        _time.Advance(TimeSpan.FromMilliseconds(500));
        _server.Feed("+ok\r\n");
        Assert.Equal("ok", await Text(task));
    }

    [Fact]
    public async Task Dispose_CompletesWhatWaits()
    {
        var task = Send("a");
        await _connection.DisposeAsync();
        Assert.Equal(RespCause.Disposed, (await task.WaitAsync(Patience)).Failure.Cause);
        await _connection.DisposeAsync();
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
        var connection = new RespConnection(stream, new RespEndpoint("test", 1), options, _time, events);
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
