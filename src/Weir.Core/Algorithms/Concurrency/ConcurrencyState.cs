namespace Weir;

/// <summary>A lease of a <see cref="Concurrency"/> counter.</summary>
/// <param name="Id">
/// Its number within the counter, from the instant at which the counter was made: a holder whose counter was freed meanwhile must not find its lease's
/// number on somebody else's lease.
/// </param>
/// <param name="EndMicros">When it ends unless it is renewed.</param>
/// <param name="Permits">Permits it holds; 0 once released.</param>
public record struct Lease(long Id, long EndMicros, long Permits);

/// <summary>What a <see cref="Concurrency"/> counter remembers.</summary>
/// <param name="Leases">Leases in the order in which they end, released ones among them.</param>
/// <param name="Held">Permits in all leases.</param>
/// <param name="LastId">Number of the newest lease.</param>
/// <param name="NewestMicros">The newest instant seen.</param>
public readonly record struct ConcurrencyState(Ring<Lease> Leases, long Held, long LastId, long NewestMicros);
