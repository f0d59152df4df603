using Weir.TestKit.Redis;

namespace Weir.Resp.Tests.Connections;

/// <content>When something goes wrong: losses, stalls, bounds, misuse.</content>
public sealed partial class RespConnectionTests
{
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
}
