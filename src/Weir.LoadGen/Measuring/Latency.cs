namespace Weir.LoadGen.Measuring;

/// <summary>The two clocks of a request.</summary>
internal sealed class Latency
{
    /// <summary>From the instant it was sent: what the server and the network took.</summary>
    public Histogram Service { get; } = new();

    /// <summary>From the instant it was planned: what somebody who came at that instant waited, also for others before.</summary>
    public Histogram Response { get; } = new();

    /// <summary>Counts a request.</summary>
    public void Record(long dueNanos, long sentNanos, long doneNanos)
    {
        Service.Record(doneNanos - sentNanos);
        Response.Record(doneNanos - dueNanos);
    }

    /// <summary>Counts all that another has counted.</summary>
    public void Add(Latency other)
    {
        Service.Add(other.Service);
        Response.Add(other.Response);
    }
}
