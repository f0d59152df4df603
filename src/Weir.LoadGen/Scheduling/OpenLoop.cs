using Weir.LoadGen.Profiles;

namespace Weir.LoadGen.Scheduling;

/// <summary>
/// Sends requests when the profile says, whether or not earlier ones were answered: a server that stalls is asked on, and its latencies, counted from
/// the planned instants, show the stall.
/// </summary>
/// <remarks>
/// Runs on one thread of its own, which sleeps until the next request is due and then lets everything leave that is due. A request that cannot leave within
/// <see cref="PatienceNanos"/>, because too many are in flight or because this machine stood still, is skipped: catching up would be a burst that
/// nobody planned, and a limiter would answer it otherwise than the load that was asked for.
/// </remarks>
internal sealed class OpenLoop(Profile profile, RunClock clock, Pause pause, IDepartures departures, WhenFull whenFull)
{
    /// <summary>How late a request may leave: a quarter of a second.</summary>
    public const long PatienceNanos = 250_000_000;

    // Longer sleeps would make stopping slow, shorter ones would wake the thread for every single request of a fast schedule.
    private const long LongestSleepNanos = 50_000_000;
    private const long ShortestSleepNanos = 200_000;

    /// <summary>Runs through the whole profile. Ends early when told to.</summary>
    public void Run(CancellationToken stop)
    {
        var sequence = 0L;
        foreach (var arrival in profile.Arrivals())
        {
            var departure = new Departure(sequence++, RunClock.ToNanos(arrival.Seconds), arrival.Phase);
            if (!WaitUntil(departure.DueNanos, stop))
                return;
            Depart(departure, stop);
        }
        // The last request has left, but the load that was asked for lasts until the end of the profile.
        if (!double.IsInfinity(profile.Duration))
            WaitUntil(RunClock.ToNanos(profile.Duration), stop);
    }

    private bool WaitUntil(long nanos, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var left = nanos - clock.Nanos;
            if (left <= 0)
                return true;
            pause.For(Math.Clamp(left, ShortestSleepNanos, LongestSleepNanos));
        }
        return false;
    }

    private void Depart(in Departure departure, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var left = departure.DueNanos + PatienceNanos - clock.Nanos;
            if (left < 0 && whenFull == WhenFull.Skip)
            {
                departures.Skip(departure);
                return;
            }
            if (departures.TrySend(departure))
                return;
            departures.WaitForRoom(whenFull == WhenFull.Skip ? left : LongestSleepNanos);
        }
    }
}
