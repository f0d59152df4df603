namespace Weir;

/// <summary>The place of limits that requests bring along, so that whoever decides them finds the same counters.</summary>
public static class CallLimitPath
{
    /// <summary>
    /// The place of a limit with a name. Limits whose counters could not go on with each other's state are kept apart; a change of the permits alone leaves
    /// what is used in force, but for token buckets, whose state is measured in permits.
    /// </summary>
    public static string Of(string name, AlgorithmKind algorithm, long permits, TimeSpan window)
    {
        var path = $"rate_limit/{name}/{algorithm.ToName()}/{Durations.Format(window.Ticks / TimeSpan.TicksPerMicrosecond)}";
        return algorithm == AlgorithmKind.TokenBucket ? $"{path}/{permits}" : path;
    }
}
