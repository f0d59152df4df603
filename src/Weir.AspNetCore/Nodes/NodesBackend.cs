using Microsoft.Extensions.Logging;

namespace Weir.AspNetCore;

/// <summary>Placeholder of this commit.</summary>
internal sealed class NodesBackend(WeirNodesOptions options, TimeProvider time, ILogger log) : Backend
{
    public override ValueTask<LimitResult> CheckAsync(PendingCheck check) => throw new NotSupportedException($"{options.Addresses.Count} {time.TimestampFrequency} {log.GetType()}");

    public override ValueTask<LimitReservation> ReserveAsync(PendingCheck check, TimeSpan timeToLive) => throw new NotSupportedException();

    public override ValueTask<bool> CommitAsync(LimitReservation reservation, int? actual) => throw new NotSupportedException();

    public override ValueTask<bool> RenewAsync(LimitReservation reservation) => throw new NotSupportedException();

    public override ValueTask<long> RefundAsync(LimitReceipt receipt) => throw new NotSupportedException();

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
