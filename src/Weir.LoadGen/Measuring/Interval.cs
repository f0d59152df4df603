namespace Weir.LoadGen.Measuring;

/// <summary>Tells what happened since it was last asked. One thread at a time.</summary>
internal sealed class Interval(RunStats stats)
{
    private long[] _before = new long[Histogram.BucketCount];
    private long[] _now = new long[Histogram.BucketCount];
    private readonly long[] _between = new long[Histogram.BucketCount];
    private TimelinePoint _total = new(0, 0, 0, 0, 0, 0, 0);

    /// <summary>What happened since the last call, or since the start.</summary>
    /// <param name="seconds">Now, from the start of the run.</param>
    public TimelinePoint Take(double seconds)
    {
        var (last, outcomes) = (_total, stats.Outcomes);
        _total = new TimelinePoint(0, seconds, stats.Sent, outcomes.Allowed, outcomes.Limited, outcomes.Failed, stats.Skips);
        Subtract();
        return new TimelinePoint(last.End, seconds, _total.Sent - last.Sent, _total.Allowed - last.Allowed, _total.Limited - last.Limited,
            _total.Failed - last.Failed, _total.Skipped - last.Skipped)
        {
            P50 = Histogram.Quantile(_between, 0.5),
            P90 = Histogram.Quantile(_between, 0.9),
            P99 = Histogram.Quantile(_between, 0.99),
            Greatest = Histogram.Quantile(_between, 1),
        };
    }

    private void Subtract()
    {
        Array.Clear(_now);
        stats.Latency.Response.AddTo(_now);
        for (var i = 0; i < _now.Length; i++)
            _between[i] = _now[i] - _before[i];
        (_before, _now) = (_now, _before);
    }
}
