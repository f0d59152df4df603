using System.Diagnostics.CodeAnalysis;
using System.Threading.RateLimiting;

namespace Weir.AspNetCore.RateLimiting;

/// <summary>An answer in the words of <c>System.Threading.RateLimiting</c>. Disposing of it gives back what is held at once; windows and buckets keep what they counted.</summary>
internal sealed class WeirLease : RateLimitLease
{
    private static readonly string[] Names = [MetadataName.RetryAfter.Name, MetadataName.ReasonPhrase.Name, WeirMetadataName.Result.Name];

    private readonly LimitResult? _result;
    private readonly HeldReservation? _held;
    private readonly string? _reason;
    private readonly Action<WeirLease>? _onEnd;
    private int _isEnded;

    private WeirLease(bool isAcquired, LimitResult? result, string? reason, HeldReservation? held, Action<WeirLease>? onEnd) =>
        (IsAcquired, _result, _reason, _held, _onEnd) = (isAcquired, result, reason, held, onEnd);

    /// <summary>What a synchronous attempt gets where asking takes a network.</summary>
    public static WeirLease NotAsked { get; } = new(false, null, "The limiter is not asked synchronously; use AcquireAsync.", null, null);

    public override bool IsAcquired { get; }

    public override IEnumerable<string> MetadataNames => Names;

    public static WeirLease Acquired(in LimitResult result, HeldReservation? held, Action<WeirLease>? onEnd) => new(true, result, null, held, onEnd);

    public static WeirLease Refused(in LimitResult result) => new(false, result, Reason(result), null, null);

    public override bool TryGetMetadata(string metadataName, [NotNullWhen(true)] out object? metadata)
    {
        metadata = metadataName switch
        {
            "RETRY_AFTER" when _result is { Outcome: Outcome.Refused } refused => refused.RetryAfter,
            "REASON_PHRASE" => _reason,
            "WEIR_RESULT" => _result,
            _ => null,
        };
        return metadata is not null;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && _held is not null && Interlocked.Exchange(ref _isEnded, 1) == 0)
        {
            _onEnd?.Invoke(this);
            // Nobody waits for it. Should it not arrive, the lease ends by itself when it is not renewed any more.
            _ = _held.EndAsync().AsTask();
        }
        base.Dispose(disposing);
    }

    private static string Reason(in LimitResult result) => result switch
    {
        { Source: DecisionSource.Degraded } => "The rate limiter cannot decide at the moment.",
        { Outcome: Outcome.NeverFits } => $"More permits than the limit '{result.Name}' can ever give.",
        { Name: { } name } => $"The limit '{name}' is reached.",
        _ => "The limit is reached.",
    };
}
