namespace Weir.AspNetCore.Waiting;

/// <summary>The gates of the partitions that are in use or that there is something to remember of. Bounded.</summary>
/// <remarks>One lock, for a look-up. A gate that a request holds is never dropped; of the others, when room is needed, first those that are open.</remarks>
internal sealed class GateTable(TimeProvider time, int maxGates, int maxWaiting, TimeSpan maxClosed) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Held> _gates = new(StringComparer.Ordinal);

    /// <summary>Gates that exist now.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _gates.Count;
        }
    }

    /// <summary>Finds or makes a partition's gate and holds it. Null when there is room for no further one.</summary>
    public Gate? Hold(string partition)
    {
        lock (_lock)
        {
            if (!_gates.TryGetValue(partition, out var held))
            {
                if (_gates.Count >= maxGates && !MakeRoomLocked())
                    return null;
                _gates.Add(partition, held = new Held(new Gate(time, maxWaiting, maxClosed)));
            }
            held.Holders++;
            return held.Gate;
        }
    }

    /// <summary>Ends a hold.</summary>
    public void Release(string partition)
    {
        lock (_lock)
            _gates[partition].Holders--;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var held in _gates.Values)
                held.Gate.Dispose();
        }
    }

    private bool MakeRoomLocked()
    {
        string? soonest = null;
        var soonestOpens = TimeSpan.MaxValue;
        foreach (var (partition, held) in _gates)
        {
            if (held.Holders > 0)
                continue;
            var closedFor = held.Gate.ClosedFor;
            // All that are open go together, so that a table full of them is not walked for every new one.
            if (closedFor == TimeSpan.Zero)
            {
                DropLocked(partition, held);
            }
            else if (closedFor < soonestOpens)
            {
                soonest = partition;
                soonestOpens = closedFor;
            }
        }
        if (_gates.Count >= maxGates && soonest is not null)
            DropLocked(soonest, _gates[soonest]);
        return _gates.Count < maxGates;
    }

    private void DropLocked(string partition, Held held)
    {
        _gates.Remove(partition);
        held.Gate.Dispose();
    }

    private sealed class Held(Gate gate)
    {
        public Gate Gate { get; } = gate;

        public int Holders { get; set; }
    }
}
