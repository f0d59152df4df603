namespace Weir.Redis;

/// <summary>
/// A thread that beats every millisecond while operations wait for company somewhere, and sleeps otherwise. A timer of the thread pool would change threads twice for
/// each beat. It goes through an array, because the enumerator of an interface would be garbage a thousand times a second.
/// </summary>
internal sealed class Metronome(Shard[] shards) : IDisposable
{
    private const int BeatMillis = 1;

    private readonly ManualResetEventSlim _wanted = new(false, spinCount: 0);
    private readonly ManualResetEventSlim _stop = new(false, spinCount: 0);
    private int _isStarted;

    /// <summary>Beats until no shard wants it any more.</summary>
    public void Begin()
    {
        _wanted.Set();
        if (Volatile.Read(ref _isStarted) == 0 && Interlocked.Exchange(ref _isStarted, 1) == 0)
            new Thread(Run) { IsBackground = true, Name = "Weir gathering" }.Start();
    }

    /// <summary>Lets the thread end, after its beat. Shards may still wish for it to begin.</summary>
    public void Dispose()
    {
        _stop.Set();
        _wanted.Set();
    }

    private void Run()
    {
        while (!_stop.Wait(BeatMillis))
        {
            // Before the shards are asked: who begins to gather after that is heard.
            _wanted.Reset();
            var goesOn = false;
            foreach (var shard in shards)
                goesOn |= shard.Beat();
            // Whoever stops it while it asks is heard too.
            if (!goesOn && !_stop.IsSet)
                _wanted.Wait();
        }
    }
}
