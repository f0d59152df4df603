using Weir.LoadGen.Profiles;
using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Scheduling;

/// <summary>
/// Sends the next request when an answer has come, so that the same number is always in flight. Tells how much a server can do at most; tells nothing
/// about latency at a given load, because a server that stalls is not asked meanwhile.
/// </summary>
internal sealed class ClosedLoop(double seconds, RunClock clock, Pause pause, Depot depot)
{
    private const long SleepNanos = 20_000_000;

    /// <summary>Sends until the time is over, or until told to stop.</summary>
    public void Run(CancellationToken stop)
    {
        var end = double.IsInfinity(seconds) ? long.MaxValue : RunClock.ToNanos(seconds);
        var connections = depot.Options.MaxInFlight;
        depot.KeepGoing(connections, end);
        for (var sequence = 0; sequence < connections; sequence++)
            depot.TrySend(new Departure(sequence, clock.Nanos, Phase.Steady));
        while (clock.Nanos is var now && now < end && !stop.IsCancellationRequested)
            pause.For(Math.Clamp(end - now, 0, SleepNanos));
        depot.Stay();
    }
}
