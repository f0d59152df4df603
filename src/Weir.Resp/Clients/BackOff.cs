namespace Weir.Resp;

/// <summary>
/// Pauses between attempts: doubling from the least to the most, each with jitter down to its half, so that clients that lost the same
/// server do not come back in step.
/// </summary>
internal sealed class BackOff(TimeSpan least, TimeSpan most)
{
    private int _attempts;

    /// <summary>How many pauses there were since the last success.</summary>
    public int Attempts => _attempts;

    public TimeSpan Next()
    {
        var full = Math.Min(most.TotalMilliseconds, least.TotalMilliseconds * Math.Pow(2, Math.Min(_attempts++, 30)));
        return Jitter.Between(full / 2, full);
    }

    public void Reset() => _attempts = 0;
}

/// <summary>Chance that spreads what would otherwise happen at once.</summary>
internal static class Jitter
{
    /// <summary>A duration that is off by a fifth at most.</summary>
    public static TimeSpan Around(TimeSpan duration) => Between(duration.TotalMilliseconds * 0.8, duration.TotalMilliseconds * 1.2);

    /// <summary>A duration between two numbers of milliseconds.</summary>
    public static TimeSpan Between(double fromMillis, double toMillis) =>
        TimeSpan.FromMilliseconds(fromMillis + (Random.Shared.NextDouble() * (toMillis - fromMillis)));
}
