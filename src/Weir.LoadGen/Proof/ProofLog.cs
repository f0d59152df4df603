namespace Weir.LoadGen.Proof;

/// <summary>Remembers what every request showed, by key, until the run is over. Any number of threads may record.</summary>
internal sealed class ProofLog
{
    /// <summary>Most requests that are remembered: about half a gigabyte. Of a longer run the first part is judged, and the result says so.</summary>
    public const long MostObservations = 16_000_000;

    private readonly KeyLog?[] _keys;
    private readonly long _most;
    private long _count;
    private long _forgotten;

    public ProofLog(int keys, long most = MostObservations) => (_keys, _most) = (new KeyLog?[keys], most);

    /// <summary>Requests that came when the memory was full.</summary>
    public long Forgotten => Volatile.Read(ref _forgotten);

    /// <summary>The keys that were used.</summary>
    public IEnumerable<int> Keys => Enumerable.Range(0, _keys.Length).Where(i => _keys[i] is not null);

    /// <summary>Remembers a request.</summary>
    public void Record(int key, in Observation observation)
    {
        if (observation.Verdict == Verdict.None)
            return;
        if (Interlocked.Increment(ref _count) > _most)
            Interlocked.Increment(ref _forgotten);
        else
            Log(key).Add(observation);
    }

    /// <summary>Everything remembered of a key, in the order of sending.</summary>
    public Observation[] Of(int key)
    {
        var all = _keys[key]?.ToArray() ?? [];
        Array.Sort(all, static (a, b) => a.SentNanos.CompareTo(b.SentNanos));
        return all;
    }

    private KeyLog Log(int key) => Volatile.Read(ref _keys[key]) ?? Interlocked.CompareExchange(ref _keys[key], new KeyLog(), null) ?? _keys[key]!;

    /// <summary>Grows by pieces, so that recording never copies what is there.</summary>
    private sealed class KeyLog
    {
        private const int LargestPiece = 2_048;
        private readonly Lock _lock = new();
        private readonly List<Observation[]> _full = [];
        private Observation[] _last = new Observation[16];
        private int _lastCount;

        public void Add(in Observation observation)
        {
            lock (_lock)
            {
                if (_lastCount == _last.Length)
                {
                    _full.Add(_last);
                    _last = new Observation[Math.Min(LargestPiece, 2 * _last.Length)];
                    _lastCount = 0;
                }
                _last[_lastCount++] = observation;
            }
        }

        public Observation[] ToArray()
        {
            lock (_lock)
                return [.. _full.SelectMany(static p => p), .. _last.AsSpan(0, _lastCount)];
        }
    }
}
