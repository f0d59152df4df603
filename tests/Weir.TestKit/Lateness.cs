namespace Weir.TestKit;

/// <summary>
/// How late this machine is, just now: what a timer takes longer than it should, measured beside a test that judges durations. What a busy machine adds to a timer
/// it adds to a deadline too, and is no fault of what is tested.
/// </summary>
public sealed class Lateness
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeSpan _length;
    private readonly List<double>[] _late = [[], [], [], []];
    private readonly Task[] _watchers;

    private Lateness(TimeSpan length)
    {
        _length = length;
        _watchers = [.. _late.Select((l, i) => Task.Run(() => WatchAsync(l, length * i / _late.Length)))];
    }

    /// <summary>Begins to watch timers of a length, one after the other on each of four watchers, in turn, so that the machine cannot stand still unseen.</summary>
    public static Lateness Watch(TimeSpan length) => new(length);

    /// <summary>Stops, and tells milliseconds in ascending order.</summary>
    public async Task<List<double>> StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_watchers);
        _stop.Dispose();
        return [.. _late.SelectMany(static l => l).Order()];
    }

    private async Task WatchAsync(List<double> late, TimeSpan after)
    {
        await Task.Delay(after);
        while (!_stop.IsCancellationRequested)
        {
            var since = TimeProvider.System.GetTimestamp();
            await Task.Delay(_length);
            late.Add((TimeProvider.System.GetElapsedTime(since) - _length).TotalMilliseconds);
        }
    }
}
