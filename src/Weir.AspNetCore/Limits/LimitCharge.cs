namespace Weir.AspNetCore;

/// <summary>What one request asks of one limit.</summary>
/// <param name="Limit">The limit.</param>
/// <param name="Key">Who shares it, such as a user. Keys of more than 512 bytes of UTF-8 are replaced by their hash.</param>
/// <param name="Cost">Permits to take: 0 (look) to 1,000,000.</param>
public readonly record struct LimitCharge(Limit Limit, string Key, int Cost = 1)
{
    /// <summary>In a reservation: the cost is known and stays, whatever the reservation is committed with.</summary>
    public bool IsFinal { get; init; }
}
