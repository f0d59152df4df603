using Weir.LoadGen.Profiles;
using Weir.LoadGen.Scheduling;
using Weir.TestKit;

namespace Weir.LoadGen.Tests.Scheduling;

/// <summary>The schedule on manual time, with departures that do as they are told.</summary>
public sealed class OpenLoopTests
{
    private const long Millisecond = 1_000_000;

    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Run_SendsEveryRequestWhenItIsDue()
    {
        var gate = Run(Shapes.RampAndBursts(40, 1, new Bursts(3, 2, 0.5), 5), WhenFull.Skip);

        var planned = Shapes.RampAndBursts(40, 1, new Bursts(3, 2, 0.5), 5).Arrivals().ToList();
        Assert.Equal(planned.Count, gate.Sent.Count);
        Assert.Empty(gate.Skipped);
        foreach (var ((departure, at), arrival) in gate.Sent.Zip(planned))
        {
            Assert.Equal(RunClock.ToNanos(arrival.Seconds), departure.DueNanos);
            // The manual pause is exact; the schedule may let it be as long as its shortest one.
            Assert.InRange(at - departure.DueNanos, 0, Millisecond / 4);
        }
        Assert.Equal(Enumerable.Range(0, planned.Count).Select(static i => (long)i), gate.Sent.Select(static s => s.Departure.Sequence));
    }

    [Fact]
    public void Run_LastsUntilTheEndOfTheProfile()
    {
        var start = _time.GetTimestamp();

        Run(new Profile([.. Shapes.Constant(10, 1), .. Shapes.Constant(0, 4).Select(static s => s.Later(1))]), WhenFull.Skip);

        Assert.InRange(_time.GetElapsedTime(start).TotalSeconds, 5, 5.001);
    }

    [Fact]
    public void Run_WithoutRoomForASecond_SkipsWhatIsLateAndDoesNotCatchUp()
    {
        // Full from 1 s to 2 s of three, at 100/s.
        var gate = Run(new Profile(Shapes.Constant(100, 3)), WhenFull.Skip, full: static nanos => nanos is >= 1_000_000_000 and < 2_000_000_000);

        Assert.Equal(300, gate.Sent.Count + gate.Skipped.Count);
        // Whoever was due in the last quarter of the second could still leave.
        Assert.InRange(gate.Skipped.Count, 73, 76);
        Assert.All(gate.Sent, static s => Assert.InRange(s.At - s.Departure.DueNanos, 0, OpenLoop.PatienceNanos + Millisecond));
        // What waited leaves at once; the seconds after are as planned.
        Assert.InRange(gate.Sent.Count(static s => s.At is >= 2_100_000_000), 89, 91);
    }

    [Fact]
    public void Run_WithoutRoomForASecond_AndToldToWait_SendsEverythingLate()
    {
        var gate = Run(new Profile(Shapes.Constant(100, 3)), WhenFull.Wait, full: static nanos => nanos is >= 1_000_000_000 and < 2_000_000_000);

        Assert.Equal(300, gate.Sent.Count);
        Assert.Empty(gate.Skipped);
        Assert.InRange(gate.Sent.Max(static s => s.At - s.Departure.DueNanos), 950 * Millisecond, 1_060 * Millisecond);
    }

    [Fact]
    public void Run_WhenTheMachineStandsStill_SkipsWhatIsLate()
    {
        // At half a second the process is stopped for two.
        var gate = new Gate(static _ => false);
        var clock = new RunClock(_time);
        gate.Clock = clock;
        var stalled = false;
        gate.OnSend = departure =>
        {
            if (departure.Sequence != 50 || stalled)
                return;
            stalled = true;
            _time.Suspend(TimeSpan.FromSeconds(2));
        };
        new OpenLoop(new Profile(Shapes.Constant(100, 4)), clock, new ManualPause(_time), gate, WhenFull.Skip).Run(CancellationToken.None);

        Assert.Equal(400, gate.Sent.Count + gate.Skipped.Count);
        Assert.InRange(gate.Skipped.Count, 173, 176);
    }

    [Fact]
    public void Run_ToldToStop_EndsSoonWhateverIsDueNext()
    {
        using var stop = new CancellationTokenSource();
        var clock = new RunClock(_time);
        var gate = new Gate(static _ => false) { Clock = clock, OnSend = _ => stop.Cancel() };

        // The second request is due in a quarter of an hour.
        new OpenLoop(new Profile(Shapes.Constant(0.001, 3_600)), clock, new ManualPause(_time), gate, WhenFull.Skip).Run(stop.Token);

        Assert.Single(gate.Sent);
        Assert.True(clock.Seconds < 0.1);
    }

    [Fact]
    public void Run_WithoutRoomAndToldToStop_Ends()
    {
        using var stop = new CancellationTokenSource();
        var clock = new RunClock(_time);
        var gate = new Gate(static _ => true) { Clock = clock, OnWait = nanos => { _time.Advance(TimeSpan.FromMicroseconds(nanos / 1_000.0 + 1)); stop.Cancel(); } };

        new OpenLoop(new Profile(Shapes.Constant(100, 10)), clock, new ManualPause(_time), gate, WhenFull.Wait).Run(stop.Token);

        Assert.Empty(gate.Sent);
    }

    private Gate Run(Profile profile, WhenFull whenFull, Func<long, bool>? full = null)
    {
        var clock = new RunClock(_time);
        var gate = new Gate(full ?? (static _ => false)) { Clock = clock, OnWait = nanos => _time.Advance(TimeSpan.FromMicroseconds(Math.Min(nanos / 1_000.0, 5_000) + 1)) };
        new OpenLoop(profile, clock, new ManualPause(_time), gate, whenFull).Run(CancellationToken.None);
        return gate;
    }

    private sealed class ManualPause(ManualTimeProvider time) : Pause
    {
        // A tick of the manual clock is longer than a nanosecond.
        public override void For(long nanos) => time.Advance(TimeSpan.FromTicks((nanos / 100) + 4));
    }

    private sealed class Gate(Func<long, bool> isFull) : IDepartures
    {
        public RunClock Clock { get; set; } = null!;

        public List<(Departure Departure, long At)> Sent { get; } = [];

        public List<Departure> Skipped { get; } = [];

        public Action<Departure>? OnSend { get; set; }

        public Action<long>? OnWait { get; set; }

        public bool TrySend(in Departure departure)
        {
            if (isFull(Clock.Nanos))
                return false;
            Sent.Add((departure, Clock.Nanos));
            OnSend?.Invoke(departure);
            return true;
        }

        public void WaitForRoom(long nanos) => OnWait?.Invoke(nanos);

        public void Skip(in Departure departure) => Skipped.Add(departure);
    }
}
