using System.Buffers;
using System.Text;
using Weir.Server.Metrics;

namespace Weir.Server.Tests.Metrics;

public sealed class PrometheusWriterTests
{
    private readonly ArrayBufferWriter<byte> _output = new();

    private string Text => Encoding.UTF8.GetString(_output.WrittenSpan);

    [Fact]
    public void Sample_EscapesBackslashQuoteAndNewlineInLabels()
    {
        new PrometheusWriter(_output).Sample("m", 1, ("rule", "a\\b\"c\nd é"), ("x", ""));

        Assert.Equal("m{rule=\"a\\\\b\\\"c\\nd é\",x=\"\"} 1\n", Text);
    }

    [Fact]
    public void Family_EscapesBackslashAndNewlineInHelpAndLeavesQuotes()
    {
        new PrometheusWriter(_output).Family("m", "gauge", "a\\b \"c\"\nd");

        Assert.Equal("# HELP m a\\\\b \"c\"\\nd\n# TYPE m gauge\n", Text);
    }

    [Theory]
    [InlineData(0, "0")]
    [InlineData(1234567890123, "1234567890123")]
    [InlineData(0.5, "0.5")]
    [InlineData(5.12e-7, "5.12E-07")]
    [InlineData(double.PositiveInfinity, "+Inf")]
    [InlineData(double.NegativeInfinity, "-Inf")]
    [InlineData(double.NaN, "NaN")]
    public void Sample_WritesNumbersAsPrometheusReadsThem(double value, string expected)
    {
        new PrometheusWriter(_output).Sample("m", value);

        Assert.Equal($"m {expected}\n", Text);
    }

    [Fact]
    public void Histogram_CumulatesBucketsAndEndsWithInfinitySumAndCount()
    {
        var histogram = new LatencyHistogram(TimeProvider.System);
        histogram.RecordTicks(1);
        histogram.RecordTicks(1 << 20);
        histogram.RecordTicks(long.MaxValue / 4);

        new PrometheusWriter(_output).Histogram("d", histogram, "Durations.");

        var lines = Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var buckets = lines.Where(l => l.StartsWith("d_bucket")).Select(l => long.Parse(l.Split(' ')[1])).ToArray();
        Assert.Equal(histogram.Bounds.Length + 1, buckets.Length);
        Assert.Equal(buckets.Order(), buckets);
        Assert.Equal((1, 3), (buckets[0], buckets[^1]));
        Assert.Equal("d_bucket{le=\"+Inf\"} 3", lines[^3]);
        Assert.StartsWith("d_sum ", lines[^2]);
        Assert.Equal("d_count 3", lines[^1]);
    }
}
