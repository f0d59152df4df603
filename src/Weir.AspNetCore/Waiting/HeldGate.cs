namespace Weir.AspNetCore.Waiting;

/// <summary>A gate that is not dropped while this is held. Dispose it once.</summary>
internal readonly struct HeldGate(GateTable table, string partition) : IDisposable
{
    /// <summary>The gate; null when the table is full of gates that are in use.</summary>
    public Gate? Gate { get; } = table.Hold(partition);

    public void Dispose()
    {
        if (Gate is not null)
            table.Release(partition);
    }
}
