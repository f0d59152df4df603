using Weir.LoadGen.Profiles;

namespace Weir.LoadGen.Scheduling;

/// <summary>A request that is to leave.</summary>
/// <param name="Sequence">Its number in the run, from 0; decides target and key.</param>
/// <param name="DueNanos">When it is planned to leave, on the run's clock.</param>
/// <param name="Phase">What the load does then.</param>
internal readonly record struct Departure(long Sequence, long DueNanos, Phase Phase);

/// <summary>Where requests leave from. The schedule's thread calls it.</summary>
internal interface IDepartures
{
    /// <summary>Lets a request leave at once.</summary>
    /// <returns>False when as many as may be are in flight.</returns>
    bool TrySend(in Departure departure);

    /// <summary>Waits until a request may leave, or for a time.</summary>
    void WaitForRoom(long nanos);

    /// <summary>Counts a request that will not leave.</summary>
    void Skip(in Departure departure);
}

/// <summary>What happens to a request that cannot leave in time.</summary>
internal enum WhenFull
{
    /// <summary>It waits for a quarter of a second, and is then skipped and counted.</summary>
    Skip,

    /// <summary>It waits, and those behind it too, and they leave as fast as they can. Nothing is skipped.</summary>
    Wait,
}
