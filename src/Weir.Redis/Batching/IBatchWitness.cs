namespace Weir.Redis;

/// <summary>
/// Is told what became of everything in a batch, in the order in which the script did it, before callers are. For tests, which do the same on reference models.
/// </summary>
internal interface IBatchWitness
{
    /// <summary>Requests of one charge that were decided together.</summary>
    void Decided(long nowMicros, in Charge charge, ReadOnlySpan<Decision> decisions);

    /// <summary>A request of several charges.</summary>
    void DecidedTogether(long nowMicros, ReadOnlySpan<Charge> charges, ReadOnlySpan<Decision> decisions, bool refused);

    /// <summary>A correction or a renewal.</summary>
    void Corrected(long nowMicros, CorrectionOperation correction, long result);
}
