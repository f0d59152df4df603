namespace Weir.Resp;

/// <summary>Finds what is wrong with options that were not read from a URL.</summary>
internal static class RespOptionsValidation
{
    private const int MaxMaxPending = 1 << 20;

    /// <summary>Throws when options cannot work, naming all their problems.</summary>
    /// <exception cref="ArgumentException">Something is out of its range.</exception>
    public static void ThrowIfInvalid(RespOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var problems = Problems(options).ToList();
        if (problems.Count > 0)
            throw new ArgumentException(string.Join(' ', problems), nameof(options));
    }

    private static IEnumerable<string> Problems(RespOptions o)
    {
        if (o.Endpoints is not { Count: > 0 })
            yield return "Endpoints: none are given; name at least one.";
        if (o.Topology == RespTopology.Standalone && o.Endpoints is { Count: > 1 })
            yield return $"Endpoints: {o.Endpoints.Count} are given for one server; name one, or choose the topology Cluster or Sentinel.";
        if (o.Topology == RespTopology.Sentinel && string.IsNullOrEmpty(o.PrimaryName))
            yield return "PrimaryName: none is given; name the primary as the Sentinels do.";
        if (o.Topology == RespTopology.Cluster && o.Database != 0)
            yield return $"Database: {o.Database} cannot be selected; a Cluster has only database 0.";
        if (o.Database < 0)
            yield return $"Database: {o.Database} must be at least 0.";
        if (o.User is not null && o.Password is null)
            yield return "User: there is no password for it; give one, or leave out the user.";
        if (o.ClientName is { } name && (name.Length == 0 || name.Any(static c => c is <= ' ' or > '~')))
            yield return $"ClientName: '{name}' must be printable ASCII without spaces.";
        if (o.Protocol is not (2 or 3))
            yield return $"Protocol: {o.Protocol} must be 2 or 3.";
        if (o.MaxPending is < 1 or > MaxMaxPending)
            yield return $"MaxPending: {o.MaxPending} must be 1 to {MaxMaxPending}.";
        if (o.MaxUnsentBytes < 1)
            yield return $"MaxUnsentBytes: {o.MaxUnsentBytes} must be at least 1.";
        foreach (var problem in Durations(o).Concat(Limits(o.Limits)))
            yield return problem;
    }

    private static IEnumerable<string> Durations(RespOptions o)
    {
        (string Name, TimeSpan Value)[] durations =
        [
            (nameof(o.ConnectTimeout), o.ConnectTimeout), (nameof(o.CommandTimeout), o.CommandTimeout),
            (nameof(o.DeadlineResolution), o.DeadlineResolution), (nameof(o.StallTimeout), o.StallTimeout), (nameof(o.KeepAlive), o.KeepAlive),
            (nameof(o.MinBackOff), o.MinBackOff), (nameof(o.MaxBackOff), o.MaxBackOff), (nameof(o.TopologyRefresh), o.TopologyRefresh),
            (nameof(o.SentinelPoll), o.SentinelPoll),
        ];
        foreach (var (name, value) in durations)
        {
            if (value < TimeSpan.FromMilliseconds(1) || value > TimeSpan.FromDays(1))
                yield return $"{name}: {value} must be 1 millisecond to 1 day.";
        }
        if (o.MaxBackOff < o.MinBackOff)
            yield return $"{nameof(o.MaxBackOff)}: {o.MaxBackOff} must be at least {nameof(o.MinBackOff)}, {o.MinBackOff}.";
    }

    private static IEnumerable<string> Limits(RespLimits limits)
    {
        if (limits.MaxReplyBytes is < RespLimits.LeastReplyBytes or > RespLimits.MostReplyBytes)
            yield return $"MaxReplyBytes: {limits.MaxReplyBytes} must be {RespLimits.LeastReplyBytes} to {RespLimits.MostReplyBytes}.";
        if (limits.MaxLineBytes < RespLimits.LeastLineBytes)
            yield return $"MaxLineBytes: {limits.MaxLineBytes} must be at least {RespLimits.LeastLineBytes}.";
        if (limits.MaxElements < 1)
            yield return $"MaxElements: {limits.MaxElements} must be at least 1.";
        if (limits.MaxDepth is < 1 or > RespLimits.DeepestDepth)
            yield return $"MaxDepth: {limits.MaxDepth} must be 1 to {RespLimits.DeepestDepth}.";
    }
}
