using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Measuring;

/// <summary>Counts outcomes. Any number of threads may count and read at the same time.</summary>
internal sealed class Tally
{
    private long _allowed;
    private long _limited;
    private long _failed;

    public long Allowed => Volatile.Read(ref _allowed);

    public long Limited => Volatile.Read(ref _limited);

    public long Failed => Volatile.Read(ref _failed);

    /// <summary>Requests that are over.</summary>
    public long All => Allowed + Limited + Failed;

    /// <summary>Requests that the server answered as a limiter should.</summary>
    public long Answered => Allowed + Limited;

    /// <summary>Counts one.</summary>
    public void Add(Outcome outcome) =>
        Interlocked.Increment(ref outcome == Outcome.Allowed ? ref _allowed : ref outcome == Outcome.Limited ? ref _limited : ref _failed);
}
