namespace Weir;

/// <summary>How a <see cref="MemoryEngine"/> is dimensioned.</summary>
public sealed record MemoryEngineOptions
{
    /// <summary>Most counters alive at once.</summary>
    /// <value>1,000 to 100,000,000. Default 1,000,000.</value>
    /// <remarks>
    /// A counter takes 70 to 340 bytes plus its label; a <c>sliding-window</c> counter 8 bytes more for every admitted request in its window.
    /// At the bound, counters that exist go on exactly. A request that needs a new one gets its rule's <see cref="FailurePolicy"/>, marked
    /// <see cref="DecisionSource.Degraded"/>: nothing that is still counting is ever thrown out, because that would give its owner a fresh limit.
    /// </remarks>
    public long MaxCounters { get; init; } = 1_000_000;

    /// <summary>How often idle counters are looked for.</summary>
    /// <value>10 ms to 1 minute. Default 5 seconds.</value>
    public TimeSpan SweepInterval { get; init; } = TimeSpan.FromSeconds(5);

    internal static MemoryEngineOptions Check(MemoryEngineOptions options)
    {
        if (options.MaxCounters is < 1_000 or > 100_000_000)
            throw new ArgumentException($"MaxCounters {options.MaxCounters} must be 1,000 to 100,000,000.", nameof(options));
        if (options.SweepInterval < TimeSpan.FromMilliseconds(10) || options.SweepInterval > TimeSpan.FromMinutes(1))
            throw new ArgumentException($"SweepInterval {options.SweepInterval} must be 10 ms to 1 minute.", nameof(options));
        return options;
    }
}
