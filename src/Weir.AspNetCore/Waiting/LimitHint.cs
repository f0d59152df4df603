namespace Weir.AspNetCore.Waiting;

/// <summary>What an answer says about the limit of whoever answered.</summary>
/// <param name="ClosedFor">Nothing more should be sent for so long. Null when the answer does not say.</param>
/// <param name="Remaining">Requests that may still be sent. Null when the answer does not say.</param>
/// <param name="Reset">When there will be more than <paramref name="Remaining"/>, from now. Null when the answer does not say.</param>
internal readonly record struct LimitHint(TimeSpan? ClosedFor, long? Remaining, TimeSpan? Reset)
{
    /// <summary>An answer that says nothing.</summary>
    public static LimitHint None => default;
}
