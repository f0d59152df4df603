namespace Weir.Core.Tests.Memory;

/// <summary>Tests that need the machine's cores for themselves, so that their threads meet.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Threads
{
    public const string Name = "threads";

    private static readonly TimeSpan Cap = TimeSpan.FromSeconds(60);

    /// <summary>Runs the work on threads that start together.</summary>
    /// <exception cref="TimeoutException">A thread is still running after a minute: it waits for a lock that nobody gives back.</exception>
    public static async Task Run(int threads, Action<int> work)
    {
        using var start = new Barrier(threads);
        var tasks = new Task[threads];
        for (var i = 0; i < threads; i++)
        {
            var index = i;
            tasks[i] = Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait();
                    work(index);
                },
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
        }
        await Task.WhenAll(tasks).WaitAsync(Cap);
    }

    /// <summary>When something happened first and last on one thread, to prove that threads overlapped.</summary>
    public struct Interval
    {
        private long _first;
        private long _last;

        public void Mark()
        {
            _last = TimeProvider.System.GetTimestamp();
            _first = _first == 0 ? _last : _first;
        }

        public static bool AnyOverlap(Interval[] intervals) =>
            intervals.Where((a, i) => intervals.Skip(i + 1).Any(b => a._first < b._last && b._first < a._last)).Any();
    }
}
