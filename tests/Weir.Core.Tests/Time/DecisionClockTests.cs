using Weir.TestKit;

namespace Weir.Core.Tests.Time;

/// <summary>The clock of decisions, on a monotonic clock whose ticks divide nothing evenly.</summary>
public class DecisionClockTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly DecisionClock _clock;

    public DecisionClockTests() => _clock = new DecisionClock(_time);

    private long SystemMicros => (_time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    [Fact]
    public void Starts_AtTheTimeOfDay() => Assert.Equal(SystemMicros, _clock.NowMicros);

    [Fact]
    public void WithoutDiscipline_StaysWithinAMicrosecondOfTheMonotonicClock_ForYears()
    {
        var start = _clock.NowMicros;
        var passed = TimeSpan.Zero;
        foreach (var step in new[] { TimeSpan.FromTicks(1), TimeSpan.FromMicroseconds(1), TimeSpan.FromSeconds(1), TimeSpan.FromHours(7), TimeSpan.FromDays(3650) })
        {
            _time.Advance(step);
            passed += step;
            Assert.InRange(_clock.NowMicros - start - (passed.Ticks / TimeSpan.TicksPerMicrosecond), -1, 1);
        }
    }

    [Fact]
    public void RandomStepsAndDiscipline_NeverGoBack_AndStayNearTheSystemClock()
    {
        var random = new Random(7);
        var last = _clock.NowMicros;
        for (var i = 0; i < 50_000; i++)
        {
            _time.Advance(TimeSpan.FromTicks(random.Next(20_000_000)));
            if (random.Next(3) > 0)
                _clock.Discipline();
            var now = _clock.NowMicros;
            Assert.True(now >= last, $"{now} after {last}");
            last = now;
        }
        // At most 500 parts per million of the few seconds between two corrections.
        Assert.InRange(SystemMicros - last, -20_000, 20_000);
    }

    [Fact]
    public void SystemClockSteppedBack_TimeGoesOnSlightlySlower()
    {
        _time.StepSystemClock(TimeSpan.FromHours(-1));
        _clock.Discipline();
        var before = _clock.NowMicros;
        _time.Advance(TimeSpan.FromSeconds(100));
        Assert.InRange(_clock.NowMicros - before, 99_949_999, 99_950_001);
    }

    [Fact]
    public void SystemClockSlightlyAhead_IsCaughtUpAt500PartsPerMillion()
    {
        _time.StepSystemClock(TimeSpan.FromMilliseconds(900));
        _clock.Discipline();
        var before = _clock.NowMicros;
        _time.Advance(TimeSpan.FromSeconds(100));
        Assert.InRange(_clock.NowMicros - before, 100_049_999, 100_050_001);
    }

    [Fact]
    public void SlewedDifference_IsGoneInTime()
    {
        _time.StepSystemClock(TimeSpan.FromMilliseconds(-50));
        for (var second = 0; second < 110; second++)
        {
            _clock.Discipline();
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.InRange(SystemMicros - _clock.NowMicros, -2_000, 2_000);
    }

    [Fact]
    public void SystemClockFarAhead_IsJumpedTo()
    {
        _time.StepSystemClock(TimeSpan.FromHours(8));
        _clock.Discipline();
        Assert.InRange(SystemMicros - _clock.NowMicros, 0, 1);
    }

    [Fact]
    public void Step_OfExactlyTheBound_IsNotJumped()
    {
        _time.StepSystemClock(TimeSpan.FromMicroseconds(DecisionClock.StepMicros));
        _clock.Discipline();
        Assert.InRange(SystemMicros - _clock.NowMicros, 999_999, 1_000_001);
    }

    [Theory]
    [InlineData(1_000_000_000)]
    [InlineData(10_000_000)]
    [InlineData(1_000_000)]
    [InlineData(32_768)]
    [InlineData(3_579_545)]
    [InlineData(2_893_211_007)]
    public void EveryFrequency_GivesWholeSeconds(long frequency)
    {
        var time = new FixedFrequency(frequency);
        var clock = new DecisionClock(time);
        var start = clock.NowMicros;
        for (var seconds = 1L; seconds < 1_000_000_000; seconds *= 7)
        {
            time.Ticks = seconds * frequency;
            Assert.Equal(seconds * 1_000_000, clock.NowMicros - start);
        }
    }

    private sealed class FixedFrequency(long frequency) : TimeProvider
    {
        public long Ticks { get; set; }

        public override long TimestampFrequency => frequency;

        public override long GetTimestamp() => Ticks;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddYears(50);
    }
}
