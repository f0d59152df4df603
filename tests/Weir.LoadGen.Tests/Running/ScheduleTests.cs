using System.Collections.Concurrent;
using Weir.LoadGen.Profiles;
using Weir.LoadGen.Scheduling;

namespace Weir.LoadGen.Tests.Running;

/// <summary>The schedule on real time.</summary>
[Collection(RealTimeCollection.Name)]
public sealed class ScheduleTests
{
    [Theory]
    [InlineData(10, 3)]
    [InlineData(100, 3)]
    [InlineData(5_000, 4)]
    public async Task Run_SendsAtTheAskedRate_WithinOnePercent(int rate, int seconds)
    {
        var arrivals = new ConcurrentQueue<double>();
        var start = TimeProvider.System.GetTimestamp();
        await using var server = await WebServer.StartAsync(_ =>
        {
            arrivals.Enqueue(TimeProvider.System.GetElapsedTime(start).TotalSeconds);
            return Task.CompletedTask;
        });
        using var control = new SleepControl();
        using var load = await Load.RunAsync($"--targets {server.Url} --rps {rate} --duration {seconds} --max-in-flight 1000 --when-full wait");

        control.SkipIfLate(medianMs: 2, worstMs: 15);
        Assert.Equal(rate * seconds, arrivals.Count);
        Assert.Equal(0, load.Number("requests.failed"));
        Assert.InRange(Slope([.. arrivals.Order()]), rate * 0.99, rate * 1.01);
        Assert.InRange(load.Number("seconds"), seconds, seconds * 1.2);
    }

    [Fact]
    public async Task Run_IsPunctualInTheMedian_AndCostsLittle()
    {
        await using var server = await WebServer.StartAsync();
        using var control = new SleepControl();
        using var load = await Load.RunAsync($"--targets {server.Url} --rps 200 --duration 3");

        // The answers take processor time too, which the control does not: half a millisecond is for them.
        control.SkipIfLate(medianMs: 0.5, worstMs: 100);
        Assert.InRange(load.Number("start_lag_ms.p50"), 0, 1);
    }

    [Fact]
    public void Pause_SleepsAndDoesNotSpin()
    {
        var pause = Pause.Create();
        var clock = new RunClock(TimeProvider.System);
        var cost = new ThreadCost();

        while (clock.Seconds < 1)
            pause.For(1_000_000);

        Assert.InRange(cost.Seconds, 0, 0.1);
    }

    [Fact]
    public void Phases_OfARun_ComeWhenTheyAreDue()
    {
        var plan = new PlanReader(Shapes.RampAndBursts(10, 2, new Bursts(2, 4, 1), 10));
        var phases = new List<(double, Phase)>();
        for (var at = 0.5; at < 10; at++)
        {
            plan.MoveTo(at);
            phases.Add((at, plan.Phase));
        }

        Assert.Equal([0.5, 1.5], phases.Where(static p => p.Item2 == Phase.Ramp).Select(static p => p.Item1));
        Assert.Equal([4.5, 8.5], phases.Where(static p => p.Item2 == Phase.Burst).Select(static p => p.Item1));
    }

    // Requests a second by least squares: a pause of the machine in the middle changes little.
    private static double Slope(double[] times)
    {
        var (meanIndex, meanTime) = ((times.Length - 1) / 2.0, times.Average());
        var both = times.Index().Sum(t => (t.Index - meanIndex) * (t.Item - meanTime));
        var square = times.Sum(t => (t - meanTime) * (t - meanTime));
        return both / square;
    }

    /// <summary>Processor time of this thread alone.</summary>
    private sealed class ThreadCost
    {
        private readonly double _before = Now;

        public double Seconds => Now - _before;

        // utime and stime of the thread, in hundredths of a second.
        private static double Now
        {
            get
            {
                if (!OperatingSystem.IsLinux())
                    return 0;
                var fields = File.ReadAllText("/proc/thread-self/stat").Split(") ")[1].Split(' ');
                return (long.Parse(fields[11]) + long.Parse(fields[12])) / 100.0;
            }
        }
    }
}
