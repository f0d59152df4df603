namespace Weir.Redis.Tests.Fleets;

/// <summary>A request's answer.</summary>
/// <param name="Charge">What was asked.</param>
/// <param name="Decision">The answer.</param>
/// <param name="Asked">The timestamp before.</param>
/// <param name="Answered">The timestamp after.</param>
internal readonly record struct Answer(Charge Charge, Decision Decision, long Asked, long Answered)
{
    public bool IsDegraded => Decision.Source == DecisionSource.Degraded;

    public double Milliseconds => TimeProvider.System.GetElapsedTime(Asked, Answered).TotalMilliseconds;
}

/// <summary>Callers that ask the nodes of a fleet until they are stopped, each waiting for its answer before it asks again.</summary>
internal sealed class Load
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<int, int, (RedisNode Node, Charge Charge)> _next;
    private readonly TimeSpan _pause;
    private readonly List<Answer>[] _answers;
    private readonly Task[] _callers;
    private int _count;

    private Load(int callers, TimeSpan pause, Func<int, int, (RedisNode Node, Charge Charge)> next)
    {
        (_next, _pause) = (next, pause);
        _answers = [.. Enumerable.Range(0, callers).Select(static _ => new List<Answer>())];
        _callers = [.. Enumerable.Range(0, callers).Select(c => Task.Run(() => CallAsync(c)))];
    }

    /// <summary>Answers so far.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Starts callers.</summary>
    /// <param name="callers">How many.</param>
    /// <param name="next">What the n-th request of a caller asks of which node.</param>
    /// <param name="pause">How long a caller rests between requests, so that the machine is not busy with the callers alone; none by default.</param>
    public static Load Start(int callers, Func<int, int, (RedisNode Node, Charge Charge)> next, TimeSpan pause = default) => new(callers, pause, next);

    /// <summary>Waits for more answers.</summary>
    public Task MoreAsync(int answers)
    {
        var wanted = Count + answers;
        return TestKit.Redis.Eventually.IsTrueAsync(() => Count >= wanted || Failure is not null, $"{answers} more answers have come");
    }

    /// <summary>Stops, once every caller has its last answer.</summary>
    public async Task<List<Answer>> StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_callers).WaitAsync(TimeSpan.FromSeconds(20));
        _stop.Dispose();
        return [.. _answers.SelectMany(static a => a)];
    }

    private Exception? Failure => Array.Find(_callers, static c => c.IsFaulted)?.Exception;

    private async Task CallAsync(int caller)
    {
        for (var n = 0; !_stop.IsCancellationRequested; n++)
        {
            var (node, charge) = _next(caller, n);
            var asked = TimeProvider.System.GetTimestamp();
            var decision = await node.Engine.DecideAsync(charge);
            _answers[caller].Add(new Answer(charge, decision, asked, TimeProvider.System.GetTimestamp()));
            Interlocked.Increment(ref _count);
            if (_pause > TimeSpan.Zero)
                await Task.Delay(_pause);
            else
                await Task.Yield();
        }
    }
}
