using Weir.LoadGen.Measuring;

namespace Weir.LoadGen.Tests.Measuring;

public sealed class HistogramTests
{
    private const double Error = 1.0 / 128;
    private static readonly double[] Shares = [0, 0.001, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1];

    [Fact]
    public void Quantile_OfAnyDistribution_IsNotBelowTheExactOneAndAtMostOnePartIn128Above()
    {
        var random = new Random(3);
        Func<double>[] distributions =
        [
            () => random.Next(300),
            () => random.NextDouble() * 1e6,
            () => Math.Exp(random.NextDouble() * 30),
            () => random.Next(100) == 0 ? 2e9 : 80_000 + (random.NextDouble() * 1_000),
        ];
        foreach (var draw in distributions)
        {
            var values = Enumerable.Range(0, 50_000).Select(_ => (long)draw()).ToArray();
            var histogram = new Histogram();
            foreach (var value in values)
                histogram.Record(value);
            Array.Sort(values);
            foreach (var share in Shares)
            {
                var exact = values[Math.Max(0, (int)Math.Ceiling((share * values.Length) - 1e-6) - 1)];
                Assert.InRange(histogram.Quantile(share), exact, exact + (exact * Error));
            }
            Assert.Equal((values[0], values[^1], values.Length), (histogram.Least, histogram.Greatest, histogram.Count));
            Assert.Equal(values.Average(), histogram.Mean, 3);
        }
    }

    [Fact]
    public void Buckets_LieSideBySideWithoutGap()
    {
        for (var i = 0; i < Histogram.BucketCount - 1; i++)
        {
            Assert.Equal(Histogram.HighestOf(i) + 1, Histogram.LowestOf(i + 1));
            Assert.True(Histogram.HighestOf(i) - Histogram.LowestOf(i) <= Histogram.LowestOf(i) * Error);
        }
    }

    [Fact]
    public void Record_AtTheEdgesOfEveryBucket_FallsIntoIt()
    {
        for (var i = 0; i < Histogram.BucketCount; i++)
        {
            foreach (var value in new[] { Histogram.LowestOf(i), Histogram.HighestOf(i) })
            {
                var histogram = new Histogram();
                histogram.Record(value);
                var counts = new long[Histogram.BucketCount];
                histogram.AddTo(counts);
                Assert.Equal(i, Array.IndexOf(counts, 1));
            }
        }
    }

    [Fact]
    public void Record_BeyondTheRange_CountsAsItsEnd()
    {
        var histogram = new Histogram();

        histogram.Record(long.MaxValue);
        histogram.Record(-5);

        Assert.Equal(2, histogram.Count);
        Assert.Equal(0, histogram.Least);
        Assert.InRange(histogram.Quantile(1), TimeSpan.FromHours(4).TotalNanoseconds, TimeSpan.FromHours(5).TotalNanoseconds);
    }

    [Fact]
    public void Add_IsTheSameAsRecordingBoth()
    {
        var (first, second, both) = (new Histogram(), new Histogram(), new Histogram());
        var random = new Random(9);
        for (var i = 0; i < 10_000; i++)
        {
            var value = random.NextInt64(1L << random.Next(1, 40));
            (random.Next(2) == 0 ? first : second).Record(value);
            both.Record(value);
        }

        first.Add(second);

        Assert.Equal((both.Count, both.Least, both.Greatest, both.Mean), (first.Count, first.Least, first.Greatest, first.Mean));
        Assert.All(Shares, s => Assert.Equal(both.Quantile(s), first.Quantile(s)));
    }

    [Fact]
    public void Empty_HasZeroes()
    {
        var histogram = new Histogram();

        Assert.Equal((0, 0, 0, 0.0, 0), (histogram.Count, histogram.Least, histogram.Greatest, histogram.Mean, histogram.Quantile(0.99)));
    }

    [Fact]
    public void Record_FromManyThreads_LosesNothing()
    {
        const int each = 100_000;
        var histogram = new Histogram();

        Parallel.For(0, 8, thread =>
        {
            for (var i = 0; i < each; i++)
                histogram.Record((thread * each) + i);
        });

        Assert.Equal((8 * each, 0, (8 * each) - 1), (histogram.Count, histogram.Least, histogram.Greatest));
    }

    [Fact]
    public void Record_AllocatesNothing()
    {
        var histogram = new Histogram();
        histogram.Record(1);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 1_000; i++)
            histogram.Record(i * 1_000);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
