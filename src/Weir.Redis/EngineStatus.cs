namespace Weir.Redis;

/// <summary>Whether the shared engine can decide.</summary>
public enum EngineHealth
{
    /// <summary>Not connected yet since the start.</summary>
    Starting,

    /// <summary>Decides.</summary>
    Healthy,

    /// <summary>Answers were late or failed; it is still tried.</summary>
    Suspect,

    /// <summary>Failure policies answer, and Redis is probed in the background.</summary>
    Degraded,

    /// <summary>Redis is back; nodes tell it what they know before decisions go on.</summary>
    Resync,
}

/// <summary>Whether the shared engine can decide, and if not, why.</summary>
/// <param name="Health">The state.</param>
/// <param name="Reason">Why, for people; empty when healthy.</param>
public sealed record EngineStatus(EngineHealth Health, string Reason);
