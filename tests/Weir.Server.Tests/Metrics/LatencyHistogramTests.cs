using Weir.Server.Metrics;
using Weir.TestKit;

namespace Weir.Server.Tests.Metrics;

public sealed class LatencyHistogramTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Bounds_GoFromHalfAMicrosecondToFourSeconds_DoublingEachTime()
    {
        foreach (var time in new[] { TimeProvider.System, _time, new ClockOf(1_000_000_000), new ClockOf(24_000_000) })
        {
            var bounds = new LatencyHistogram(time).Bounds;

            Assert.InRange(bounds[0], 0.35e-6, 0.72e-6);
            Assert.InRange(bounds[^1], 2.8, 5.7);
            Assert.All(bounds.Zip(bounds.Skip(1)), pair => Assert.Equal(2 * pair.First, pair.Second));
        }
    }

    [Fact]
    public void Record_PutsEveryDurationWhereAPlainSearchPutsIt()
    {
        var histogram = new LatencyHistogram(_time);
        var expected = new long[histogram.Bounds.Length + 1];
        var random = new Random(20261120);
        var sum = 0L;
        for (var i = 0; i < 100_000; i++)
        {
            // Exponents at random, so that every bucket is hit; every other value lies on a bound or next to it.
            var ticks = i % 2 == 0 ? random.NextInt64(1L << random.Next(1, 40)) : (1L << random.Next(0, 30)) + random.Next(-1, 2);
            histogram.RecordTicks(ticks);
            expected[BucketBySearch(histogram, ticks)]++;
            sum += ticks;
        }

        var counts = new long[expected.Length];
        var seconds = histogram.Read(counts);

        Assert.Equal(expected, counts);
        Assert.All(expected, count => Assert.NotEqual(0, count));
        Assert.Equal((double)sum / ManualTimeProvider.Frequency, seconds, 1e-6);
    }

    [Fact]
    public void Record_OnABound_CountsBelowIt()
    {
        var histogram = new LatencyHistogram(new ClockOf(1_000_000_000));
        var counts = new long[histogram.Bounds.Length + 1];

        histogram.RecordTicks(1_024);
        histogram.RecordTicks(1_025);
        histogram.Read(counts);

        var bucket = Array.IndexOf(histogram.Bounds, 1_024e-9);
        Assert.Equal(1, counts[bucket]);
        Assert.Equal(1, counts[bucket + 1]);
    }

    [Fact]
    public void RecordSince_MeasuresOnTheClockGiven()
    {
        var histogram = new LatencyHistogram(_time);
        var start = _time.GetTimestamp();

        _time.Advance(TimeSpan.FromMilliseconds(250));
        histogram.RecordSince(start);

        Assert.Equal(0.25, histogram.Read(new long[histogram.Bounds.Length + 1]), 1e-6);
    }

    [Fact]
    public void Record_OfATimeThatWentBack_CountsAsZero()
    {
        var histogram = new LatencyHistogram(_time);
        var counts = new long[histogram.Bounds.Length + 1];

        histogram.RecordTicks(-5);

        Assert.Equal(0, histogram.Read(counts));
        Assert.Equal(1, counts[0]);
    }

    private static int BucketBySearch(LatencyHistogram histogram, long ticks)
    {
        var index = Array.FindIndex(histogram.Bounds, bound => Math.Max(0, ticks) <= bound * ManualTimeProvider.Frequency);
        return index < 0 ? histogram.Bounds.Length : index;
    }

    private sealed class ClockOf(long frequency) : TimeProvider
    {
        public override long TimestampFrequency => frequency;
    }
}
