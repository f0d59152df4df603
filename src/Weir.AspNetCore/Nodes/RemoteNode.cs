namespace Weir.AspNetCore;

/// <summary>A node as this client sees it. All but the addresses is guarded by the backend's gate.</summary>
internal sealed class RemoteNode(Uri address)
{
    public Uri Address { get; } = address;

    public Uri CheckUri { get; } = new(address, "/check");

    public Uri ReadyUri { get; } = new(address, "/health/ready");

    /// <summary>Whether it is asked.</summary>
    public bool IsUsed { get; set; } = true;

    /// <summary>How often in a row it has failed, without an answer in between.</summary>
    public int Failures { get; set; }

    public Lane[] Lanes { get; set; } = [];

    /// <summary>Told to probe it at once.</summary>
    public SemaphoreSlim ProbeNow { get; } = new(0);
}
