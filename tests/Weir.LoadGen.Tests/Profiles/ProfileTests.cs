using Weir.LoadGen.Profiles;

namespace Weir.LoadGen.Tests.Profiles;

public sealed class ProfileTests
{
    [Theory]
    [InlineData(10, 30, 300)]
    [InlineData(0.1, 30, 3)]
    [InlineData(7, 0.5, 4)]
    [InlineData(1_000.0 / 3, 3, 1_000)]
    public void Arrivals_AtAConstantRate_AreEvenlySpaced(double rate, double seconds, int expected)
    {
        var profile = new Profile(Shapes.Constant(rate, seconds));

        var arrivals = profile.Arrivals().Select(static a => a.Seconds).ToList();

        Assert.Equal(expected, arrivals.Count);
        Assert.Equal(expected, profile.Planned);
        Assert.All(arrivals.Index(), a => Assert.Equal(a.Index / rate, a.Item, 9));
    }

    [Fact]
    public void Arrivals_OnARamp_ComeAtTheRootsOfTheIntegral()
    {
        // From 0 to 100/s in 10 s: the k-th request where 5 t² is k.
        var arrivals = new Profile(Shapes.Ramp(0, 100, 10)).Arrivals().Select(static a => a.Seconds).ToList();

        Assert.Equal(500, arrivals.Count);
        Assert.All(arrivals.Index(), a => Assert.Equal(Math.Sqrt(a.Index / 5.0), a.Item, 9));
    }

    [Fact]
    public void Arrivals_WithRampAndBursts_AreTheIntegralOfTheRate()
    {
        // 50/s after a ramp of 10 s, ten times that for 5 s of every 30: 250 + 110 × 50 + three bursts × 5 × 450.
        var profile = Shapes.RampAndBursts(50, 10, new Bursts(10, 30, 5), 120);

        Assert.Equal(250 + 5_500 + (3 * 2_250), profile.Planned);
        Assert.Equal(profile.Planned, profile.Arrivals().Count());
        Assert.Equal(500, profile.PeakRate);
        Assert.Equal(7_500 + 250, profile.Arrivals().Count(static a => a.Phase == Phase.Burst) + profile.Arrivals().Count(static a => a.Phase == Phase.Ramp), tolerance: 1);
    }

    [Fact]
    public void Arrivals_OfRandomProfiles_FollowTheIntegralAndNeverGoBack()
    {
        var random = new Random(1);
        for (var run = 0; run < 300; run++)
        {
            var profile = Random(random);
            var plan = new PlanReader(profile);
            var last = 0.0;
            var count = 0;
            foreach (var arrival in profile.Arrivals())
            {
                Assert.True(arrival.Seconds >= last);
                plan.MoveTo(arrival.Seconds);
                Assert.Equal(count, plan.Due, 4);
                last = arrival.Seconds;
                count++;
            }
            Assert.Equal(profile.Planned, count);
        }
    }

    [Fact]
    public void Segments_WithoutEnd_RepeatTheBurstsForEver()
    {
        var profile = Shapes.RampAndBursts(10, 3, new Bursts(4, 5, 2), double.PositiveInfinity);

        Assert.Equal(double.PositiveInfinity, profile.Planned);
        var plan = new PlanReader(profile);
        foreach (var (at, rate, phase) in new[] { (1.5, 5.0, Phase.Ramp), (4, 10, Phase.Steady), (5.5, 40, Phase.Burst), (7.5, 10, Phase.Steady), (5_000_001.0, 40, Phase.Burst), (5_000_003.0, 10, Phase.Steady) })
        {
            plan.MoveTo(at);
            Assert.Equal((rate, phase), (Math.Round(plan.Rate, 6), plan.Phase));
        }
        // In each interval 2 s of bursts of 40 and 3 s of 10; the first has no burst and loses 15 to the ramp.
        plan.MoveTo(5_000_005);
        Assert.Equal(35 + (1_000_000.0 * 110), plan.Due, 3);
    }

    [Fact]
    public void RampAndBursts_MultipliesTheRateOfTheMoment()
    {
        // A burst in the middle of the ramp rises with it.
        var plan = new PlanReader(Shapes.RampAndBursts(100, 10, new Bursts(3, 4, 2), 20));

        plan.MoveTo(5);

        Assert.Equal((150, Phase.Burst), (Math.Round(plan.Rate, 6), plan.Phase));
    }

    [Fact]
    public void Steps_BeginAndEndAtTheGivenRates()
    {
        var steps = Shapes.Steps(100, 500, 5, 50);

        Assert.Equal([100, 200, 300, 400, 500], steps.Select(static s => s.StartRate));
        Assert.All(steps, static s => Assert.Equal(10, s.Length, 9));
    }

    [Fact]
    public void Spike_RisesOnceAndFallsBack()
    {
        var plan = new PlanReader(new Profile(Shapes.Spike(100, 1_000, 10, 2, 30)));
        var rates = new List<double>();
        foreach (var at in new[] { 9.9, 10.1, 11.9, 12.1 })
        {
            plan.MoveTo(at);
            rates.Add(plan.Rate);
        }
        Assert.Equal([100, 1_000, 1_000, 100], rates);
    }

    [Fact]
    public void Sequence_PutsStagesOneAfterTheOther()
    {
        var profile = Shapes.Sequence([Shapes.Constant(10, 1), Shapes.Constant(0, 5), Shapes.Ramp(0, 20, 2)]);

        Assert.Equal(8, profile.Duration);
        Assert.Equal(30, profile.Planned);
        var arrivals = profile.Arrivals().Select(static a => a.Seconds).ToList();
        Assert.Equal(10, arrivals.Count(static s => s < 1));
        Assert.DoesNotContain(arrivals, static s => s is >= 1 and < 6);
    }

    private static Profile Random(Random random)
    {
        if (random.Next(2) == 0)
        {
            var interval = 0.5 + (random.NextDouble() * 3);
            return Shapes.RampAndBursts(0.2 + (random.NextDouble() * 200), random.NextDouble() * 4, new Bursts(1 + (random.NextDouble() * 4), interval, interval * random.NextDouble() * 0.99), 4 + (random.NextDouble() * 6));
        }
        var stages = Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(3) switch
        {
            0 => Shapes.Constant(random.Next(2) * random.NextDouble() * 300, 0.1 + (random.NextDouble() * 3)),
            1 => Shapes.Ramp(random.NextDouble() * 100, random.NextDouble() * 100, 0.1 + (random.NextDouble() * 3)),
            _ => Shapes.Steps(random.NextDouble() * 100, random.NextDouble() * 100, random.Next(1, 6), 0.1 + (random.NextDouble() * 3)),
        });
        return Shapes.Sequence(stages);
    }
}
