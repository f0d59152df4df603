using Weir.LoadGen.Measuring;
using Weir.LoadGen.Profiles;
using Weir.LoadGen.Scheduling;
using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Tests.Measuring;

public sealed class TimelineTests
{
    private readonly RunStats _stats = new(1);

    [Fact]
    public void Sample_TellsWhatHappenedSinceTheOneBefore()
    {
        using var timeline = new Timeline(_stats, Shapes.RampAndBursts(10, 0, new Bursts(3, 2, 1), 10), static () => 4);
        Answer(5, 1_000_000);
        timeline.Sample(1);
        Answer(7, 9_000_000);
        Answer(1, 90_000_000);
        _stats.Skipped(new Departure(99, 0, Phase.Steady));
        timeline.Sample(2);
        timeline.Sample(3.001);

        var points = timeline.Points;

        Assert.Equal([(0, 1), (1, 2), (2, 3.001)], points.Select(static p => (p.Start, p.End)));
        Assert.Equal([5L, 8, 0], points.Select(static p => p.Allowed));
        Assert.Equal([0L, 1, 0], points.Select(static p => p.Skipped));
        Assert.Equal([10.0, 10, 30.01], points.Select(static p => Math.Round(p.Asked, 2)));
        Assert.Equal([Phase.Steady, Phase.Steady, Phase.Burst], points.Select(static p => p.Phase));
        Assert.Equal(4, points[0].InFlight);
        Assert.InRange(points[0].P50, 1_000_000, 1_010_000);
        Assert.InRange(points[1].P50, 9_000_000, 9_080_000);
        Assert.InRange(points[1].Greatest, 90_000_000, 90_800_000);
        Assert.Equal(0, points[2].P50);
    }

    [Fact]
    public void Sample_ForHours_KeepsMemoryBoundedAndForgetsNothing()
    {
        using var timeline = new Timeline(_stats, new Profile(Shapes.Constant(1, double.PositiveInfinity)), static () => 0);
        const int seconds = 20_000;
        for (var second = 1; second <= seconds; second++)
        {
            Answer(1, second == 500 ? 5_000_000_000 : 1_000_000);
            timeline.Sample(second);
        }

        var points = timeline.Points;

        Assert.InRange(points.Count, Timeline.MostPoints / 2, Timeline.MostPoints);
        Assert.Equal(seconds, points.Sum(static p => p.Allowed));
        Assert.Equal(seconds, points[^1].End);
        Assert.All(points.Zip(points.Skip(1)), static pair => Assert.Equal(pair.First.End, pair.Second.Start));
        Assert.Single(points, static p => p.Greatest > 4_000_000_000);
    }

    [Fact]
    public void Sample_RightAfterTheOneBefore_IsNoPointOfItsOwn()
    {
        using var timeline = new Timeline(_stats, new Profile(Shapes.Constant(1, 10)), static () => 0);
        Answer(5, 1_000);
        timeline.Sample(1);
        Answer(1, 1_000);
        timeline.Sample(1.01);

        Assert.Equal((6, 1.01), (Assert.Single(timeline.Points).Allowed, timeline.Points[0].End));
    }

    private void Answer(int times, long nanos)
    {
        for (var i = 0; i < times; i++)
        {
            var trip = new Trip { Departure = new Departure(0, 0, Phase.Steady), DoneNanos = nanos, Status = 200, Outcome = Sending.Outcome.Allowed };
            _stats.Left(trip);
            _stats.Came(trip);
        }
    }
}
