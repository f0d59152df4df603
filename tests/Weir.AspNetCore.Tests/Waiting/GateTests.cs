using Weir.AspNetCore.Waiting;
using Weir.TestKit;

namespace Weir.AspNetCore.Tests.Waiting;

public sealed class GateTests : IDisposable
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    // Timers are given a margin, and the odd clock rounds.
    private static readonly TimeSpan Little = TimeSpan.FromMilliseconds(5);

    private readonly ManualTimeProvider _time = new();
    private readonly Gate _gate;

    public GateTests() => _gate = new Gate(_time, maxWaiting: 100, maxClosed: TimeSpan.FromHours(1));

    public void Dispose() => _gate.Dispose();

    [Fact]
    public void Enter_WhenNothingIsKnown_GivesPassesAtOnce()
    {
        for (var i = 1; i <= 1_000; i++)
            Assert.Equal(i, Pass().Number);
    }

    [Fact]
    public void Enter_WhenClosedForLonger_IsRefusedAtOnceWithTheTime()
    {
        Close(TimeSpan.FromSeconds(90));
        var entry = Now(_gate.EnterAsync(Minute, default));
        Assert.False(entry.IsGiven);
        Assert.Equal(Stop.TooLong, entry.Stop);
        Assert.Equal(90, entry.RetryAfter.TotalSeconds, 3);
    }

    [Fact]
    public async Task Enter_WhenClosed_WaitsUntilTheInstantAndNotLess()
    {
        Close(TimeSpan.FromSeconds(30));
        var waiting = _gate.EnterAsync(Minute, default).AsTask();
        _time.Advance(TimeSpan.FromSeconds(30) - Little);
        Assert.False(waiting.IsCompleted);
        _time.Advance(Little + Little);
        Assert.True((await Soon(waiting)).IsGiven);
    }

    [Fact]
    public async Task Opening_LetsOneGoFirst_AndItsAnswerSaysHowManyFollow()
    {
        Close(TimeSpan.FromSeconds(30));
        var waiting = Enumerable.Range(0, 10).Select(_ => _gate.EnterAsync(Minute, default).AsTask()).ToList();
        _time.Advance(TimeSpan.FromSeconds(30) + Little);
        var scout = await Soon(waiting[0]);
        Assert.True(scout.Pass.IsScout);
        Assert.Equal(1, waiting.Count(w => w.IsCompleted));

        _gate.Answer(scout.Pass, new LimitHint(null, 3, Minute), refused: false);
        Assert.All(await Soon(Task.WhenAll(waiting[1..4])), entry => Assert.True(entry.IsGiven));
        Assert.All(waiting[4..], w => Assert.False(w.IsCompleted));
    }

    [Fact]
    public async Task Opening_WhenTheFirstIsSlow_LetsAnotherGoAfterASecond()
    {
        Close(TimeSpan.FromSeconds(30));
        var waiting = Enumerable.Range(0, 3).Select(_ => _gate.EnterAsync(Minute, default).AsTask()).ToList();
        _time.Advance(TimeSpan.FromSeconds(30) + Little);
        await Soon(waiting[0]);
        Assert.False(waiting[1].IsCompleted);
        _time.Advance(Gate.ScoutTime + Little);
        Assert.True((await Soon(waiting[1])).Pass.IsScout);
        Assert.False(waiting[2].IsCompleted);
    }

    [Fact]
    public async Task Opening_WhenTheFirstFails_LetsAnotherGoAtOnce()
    {
        Close(TimeSpan.FromSeconds(30));
        var waiting = Enumerable.Range(0, 2).Select(_ => _gate.EnterAsync(Minute, default).AsTask()).ToList();
        _time.Advance(TimeSpan.FromSeconds(30) + Little);
        _gate.Leave((await Soon(waiting[0])).Pass, sent: true);
        Assert.True((await Soon(waiting[1])).Pass.IsScout);
    }

    [Fact]
    public async Task Closing_WhenLongerThanSomeWait_RefusesThemAtOnce()
    {
        Close(TimeSpan.FromSeconds(30));
        var patient = _gate.EnterAsync(TimeSpan.FromMinutes(30), default).AsTask();
        var hasty = _gate.EnterAsync(Minute, default).AsTask();
        _time.Advance(TimeSpan.FromSeconds(30) + Little);
        _gate.Answer((await Soon(patient)).Pass, new LimitHint(TimeSpan.FromMinutes(20), null, null), refused: true);
        var entry = await Soon(hasty);
        Assert.False(entry.IsGiven);
        Assert.Equal(20, entry.RetryAfter.TotalMinutes, 3);
    }

    [Fact]
    public void Remaining_IsCountedDownByThoseWhoGo()
    {
        _gate.Answer(Pass(), new LimitHint(null, 3, Minute), refused: false);
        var passes = new[] { Pass(), Pass(), Pass() };
        Assert.False(Waits().IsCompleted);
        foreach (var pass in passes)
            _gate.Answer(pass, LimitHint.None, refused: false);
    }

    [Fact]
    public async Task Remaining_CountsThoseUnderWay_UntilTheirAnswersTellBetter()
    {
        var first = Pass();
        var second = Pass();
        var third = Pass();
        // Three were sent; the first answer's two may or may not include the others.
        _gate.Answer(first, new LimitHint(null, 2, Minute), refused: false);
        var waiting = Waits();
        Assert.False(waiting.IsCompleted);
        _gate.Answer(second, new LimitHint(null, 2, Minute), refused: false);
        Assert.True((await Soon(waiting)).IsGiven);
        _gate.Answer(third, LimitHint.None, refused: false);
    }

    [Fact]
    public void Remaining_OfAnOlderAnswerThatComesLate_IsNotBelieved()
    {
        var older = Pass();
        var newer = Pass();
        _gate.Answer(newer, new LimitHint(null, 1, Minute), refused: false);
        Assert.False(Waits().IsCompleted);
        _gate.Answer(older, new LimitHint(null, 50, Minute), refused: false);
        // The server told 1 last, and has counted both: the one who waited has taken it.
        Assert.False(Waits().IsCompleted);
    }

    [Fact]
    public void Remaining_ToldToALaterRequest_MayBeMore()
    {
        _gate.Answer(Pass(), new LimitHint(null, 1, Minute), refused: false);
        _gate.Answer(Pass(), new LimitHint(null, 5, Minute), refused: false);
        for (var i = 0; i < 5; i++)
            Pass();
        Assert.False(Waits().IsCompleted);
    }

    [Fact]
    public async Task Remaining_WhenItsTimeIsOver_IsForgotten()
    {
        _gate.Answer(Pass(), new LimitHint(null, 1, Minute / 2), refused: false);
        _gate.Leave(Pass(), sent: true);
        var waiting = Waits();
        Assert.False(waiting.IsCompleted);
        _time.Advance(Minute / 2 + Little);
        Assert.True((await Soon(waiting)).IsGiven);
    }

    [Fact]
    public void Leave_OfARequestThatWasNotSent_GivesItsPlaceBack()
    {
        _gate.Answer(Pass(), new LimitHint(null, 1, Minute), refused: false);
        _gate.Leave(Pass(), sent: false);
        Pass();
    }

    [Fact]
    public void Refusals_WithoutATime_CloseForOneSecondAndTwiceAsLongEachTime()
    {
        foreach (var expected in new[] { 1, 2, 4, 8, 16, 32, 32 })
        {
            _gate.Answer(Pass(), LimitHint.None, refused: true);
            Assert.Equal(expected, _gate.ClosedFor.TotalSeconds, 3);
            _time.Advance(_gate.ClosedFor + Little);
        }
        _gate.Answer(Pass(), LimitHint.None, refused: false);
        _gate.Answer(Pass(), LimitHint.None, refused: true);
        Assert.Equal(1, _gate.ClosedFor.TotalSeconds, 3);
    }

    [Fact]
    public void Refusals_OfRequestsSentTogether_CountOnce()
    {
        foreach (var pass in Enumerable.Range(0, 10).Select(_ => Pass()).ToList())
            _gate.Answer(pass, LimitHint.None, refused: true);
        Assert.Equal(1, _gate.ClosedFor.TotalSeconds, 3);
    }

    [Fact]
    public void Closed_IsNeverLongerThanAnAnswerIsBelieved()
    {
        Close(TimeSpan.FromDays(9_000));
        Assert.Equal(1, _gate.ClosedFor.TotalHours, 3);
    }

    [Fact]
    public async Task Enter_WhenCancelled_LeavesTheLine()
    {
        Close(TimeSpan.FromSeconds(30));
        using var cancellation = new CancellationTokenSource();
        var cancelled = _gate.EnterAsync(Minute, cancellation.Token).AsTask();
        var next = _gate.EnterAsync(Minute, default).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        _time.Advance(TimeSpan.FromSeconds(30) + Little);
        Assert.Equal(2, (await Soon(next)).Pass.Number);
    }

    [Fact]
    public async Task Enter_WhenTheLineIsFull_IsRefusedAtOnce()
    {
        Close(TimeSpan.FromSeconds(30));
        var waiting = Enumerable.Range(0, 100).Select(_ => _gate.EnterAsync(Minute, default).AsTask()).ToList();
        Assert.Equal(Stop.LineFull, Now(_gate.EnterAsync(Minute, default)).Stop);
        Assert.All(waiting, w => Assert.False(w.IsCompleted));
        _time.Advance(Minute + Minute);
        await Soon(waiting[0]);
    }

    [Fact]
    public async Task Enter_WhenItsTimeIsOver_IsRefused()
    {
        _gate.Answer(Pass(), new LimitHint(null, 1, TimeSpan.FromMinutes(10)), refused: false);
        var underWay = Pass();
        var waiting = Waits();
        Assert.False(waiting.IsCompleted);
        _time.Advance(Minute + Little);
        Assert.Equal(Stop.TooLong, (await Soon(waiting)).Stop);
        _gate.Leave(underWay, sent: true);
    }

    [Fact]
    public async Task Passes_OfManyThreads_AreNeverMoreThanTheServerHas()
    {
        // A server whose window never ends: after 500 requests it would refuse, and it is never asked a 501st time.
        var left = 500;
        var asked = 0;
        using var gate = new Gate(_time, maxWaiting: 1_000, maxClosed: TimeSpan.FromHours(1));
        var first = Now(gate.EnterAsync(Minute, default));
        gate.Answer(first.Pass, new LimitHint(null, left, Minute), refused: false);
        var callers = Enumerable.Range(0, 600).Select(_ => Task.Run(async () =>
        {
            if (await gate.EnterAsync(Minute, default) is not { IsGiven: true, Pass: var pass })
                return false;
            Interlocked.Increment(ref asked);
            await Task.Yield();
            var remaining = Interlocked.Decrement(ref left);
            gate.Answer(pass, remaining > 0 ? new LimitHint(null, remaining, Minute) : new LimitHint(Minute + Minute, 0, Minute + Minute), refused: remaining < 0);
            return true;
        })).ToList();
        var passed = await Soon(Task.WhenAll(callers));
        Assert.Equal(500, asked);
        Assert.Equal(500, passed.Count(p => p));
    }

    private Pass Pass()
    {
        var entry = Now(_gate.EnterAsync(Minute, default));
        Assert.True(entry.IsGiven);
        return entry.Pass;
    }

    private Task<Entry> Waits() => _gate.EnterAsync(Minute, default).AsTask();

    private void Close(TimeSpan time) => _gate.Answer(Pass(), new LimitHint(time, null, null), refused: true);

    private static Entry Now(ValueTask<Entry> entering)
    {
        Assert.True(entering.IsCompletedSuccessfully);
        return entering.GetAwaiter().GetResult();
    }

    private static Task<T> Soon<T>(Task<T> task) => task.WaitAsync(TimeSpan.FromSeconds(30));
}
