namespace Weir.Redis;

/// <summary>
/// A thread that beats every millisecond while operations wait for company somewhere, and sleeps otherwise. Timers of the pool would change threads twice a beat.
/// </summary>
internal sealed class Metronome : IDisposable
{
    private readonly IReadOnlyList<Shard> _shards;
    private readonly ManualResetEventSlim _wanted = new(false, spinCount: 0);
    private readonly ManualResetEventSlim _stop = new(false, spinCount: 0);
    private readonly Lock _starting = new();
    private Thread? _thread;

    public Metronome(IReadOnlyList<Shard> shards) => _shards = shards;

    /// <summary>Beats until no shard wants it any more.</summary>
    public void Begin()
    {
        _wanted.Set();
        lock (_starting)
        {
            if (_thread is not null || _stop.IsSet)
                return;
            _thread = new Thread(Run) { IsBackground = true, Name = "Weir gathering" };
            _thread.Start();
        }
    }

    /// <summary>Stops. Shards may still wish for it to begin.</summary>
    public void Dispose()
    {
        Thread? thread;
        lock (_starting)
        {
            _stop.Set();
            thread = _thread;
        }
        _wanted.Set();
        thread?.Join();
    }

    private void Run()
    {
        while (!_stop.Wait(1))
        {
            // Before the shards are asked: who begins to gather after that is heard.
            _wanted.Reset();
            var goesOn = false;
            foreach (var shard in _shards)
                goesOn |= shard.Beat();
            if (!goesOn)
                _wanted.Wait();
        }
    }
}
