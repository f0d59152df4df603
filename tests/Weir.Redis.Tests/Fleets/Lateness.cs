namespace Weir.Redis.Tests.Fleets;

/// <summary>
/// How late this machine is, just now: what a timer of a decision's length takes longer than it should, measured beside a test that judges durations. What a busy
/// machine adds to a timer it adds to a deadline too, and is no fault of the engine.
/// </summary>
internal sealed class Lateness
{
    private static readonly TimeSpan Length = RedisNode.AsInProduction;

    private readonly CancellationTokenSource _stop = new();
    private readonly List<double>[] _late = [[], [], [], []];
    private readonly Task[] _watchers;

    private Lateness() => _watchers = [.. _late.Select(l => Task.Run(() => WatchAsync(l)))];

    public static Lateness Watch() => new();

    /// <summary>Stops, and tells milliseconds in ascending order.</summary>
    public async Task<List<double>> StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_watchers);
        _stop.Dispose();
        return [.. _late.SelectMany(static l => l).Order()];
    }

    private async Task WatchAsync(List<double> late)
    {
        while (!_stop.IsCancellationRequested)
        {
            var since = TimeProvider.System.GetTimestamp();
            await Task.Delay(Length);
            late.Add((TimeProvider.System.GetElapsedTime(since) - Length).TotalMilliseconds);
        }
    }
}
