namespace Weir.Redis;

/// <summary>Redis could not be asked for something that no failure policy can answer, such as giving permits back.</summary>
/// <param name="reason">Why.</param>
public sealed class EngineUnavailableException(DegradedReason reason) : Exception(MessageOf(reason))
{
    /// <summary>Why. After a <see cref="DegradedReason.Timeout"/> it may have been done nevertheless, so repeating could do it twice.</summary>
    public DegradedReason Reason { get; } = reason;

    private static string MessageOf(DegradedReason reason) => reason switch
    {
        DegradedReason.Timeout => "Redis did not answer in time; what was asked may have been done. Look before trying again.",
        DegradedReason.Error => "Redis refused what was asked; nothing was done. See the log for its reason.",
        DegradedReason.Resync => "Redis has lost data, and nodes are repairing it; nothing was done. Try again in a second.",
        DegradedReason.QueueFull => "Too many requests are waiting for Redis; nothing was done. Try again later.",
        _ => "Redis cannot be reached; nothing was done. Try again later.",
    };
}
