using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Weir.AspNetCore;

/// <summary>
/// Asks whether a request may go on, by nodes, Redis or this process' memory. Applications get theirs from <c>AddWeir</c>; made by hand it works anywhere.
/// Thread safe; make one and keep it.
/// </summary>
public sealed class WeirClient : IWeirClient, IAsyncDisposable
{
    private static readonly TimeSpan DefaultTimeToLive = TimeSpan.FromMinutes(1);

    internal WeirClient(Backend backend) => Backend = backend;

    internal Backend Backend { get; }

    /// <summary>A client that asks nodes.</summary>
    /// <param name="options">The nodes, and how to ask them. Not changed afterwards.</param>
    /// <param name="time">Clock of deadlines; null for the system's.</param>
    /// <param name="log">Told when nodes are left out and taken back; null for nobody.</param>
    /// <exception cref="WeirOptionsException">Options are out of their ranges; the message names every one.</exception>
    public static WeirClient OverNodes(WeirNodesOptions options, TimeProvider? time = null, ILoggerFactory? log = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        WeirOptionsException.ThrowIfAny(OptionsValidator.Problems(options));
        return new WeirClient(new NodesBackend(options, time ?? TimeProvider.System, LoggerOf(log)));
    }

    /// <summary>A client that counts in Redis or Valkey, as a node does. Until <see cref="StartAsync"/> has reached it, failure policies answer.</summary>
    /// <param name="options">The server. Not changed afterwards.</param>
    /// <param name="time">Clock of what is remembered; null for the system's. Decisions go by the server's.</param>
    /// <param name="log">Told when Redis is lost and found; null for nobody.</param>
    /// <exception cref="WeirOptionsException">Options are out of their ranges; the message names every one.</exception>
    public static WeirClient OverRedis(WeirRedisOptions options, TimeProvider? time = null, ILoggerFactory? log = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        WeirOptionsException.ThrowIfAny(OptionsValidator.Problems(options));
        return new WeirClient(RedisBackend.Create(options, time ?? TimeProvider.System, LoggerOf(log)));
    }

    /// <summary>A client that counts in this process' memory: for one process, and for tests.</summary>
    /// <param name="options">Dimensions; null for the defaults.</param>
    /// <param name="time">Clock of decisions; null for the system's.</param>
    /// <exception cref="WeirOptionsException">Options are out of their ranges; the message names every one.</exception>
    public static WeirClient InMemory(WeirMemoryOptions? options = null, TimeProvider? time = null)
    {
        options ??= new WeirMemoryOptions();
        WeirOptionsException.ThrowIfAny(OptionsValidator.Problems(options));
        return new WeirClient(MemoryBackend.Create(options, time ?? TimeProvider.System));
    }

    /// <summary>Connects. Not needed over nodes and in memory. Returns also when nobody can be asked yet; it is tried on.</summary>
    /// <exception cref="WeirException">Something is wrong that will not cure itself, such as a wrong password.</exception>
    public Task StartAsync(CancellationToken cancellation = default) => Backend.StartAsync(cancellation);

    /// <inheritdoc />
    public ValueTask<LimitResult> CheckAsync(LimitCharge charge, CancellationToken cancellation = default) => CheckAsync([charge], cancellation);

    /// <inheritdoc />
    public ValueTask<LimitResult> CheckAsync(IReadOnlyList<LimitCharge> charges, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(charges);
        cancellation.ThrowIfCancellationRequested();
        var checking = Backend.CheckAsync(PendingCheck.Of([.. charges]));
        return cancellation.CanBeCanceled && !checking.IsCompleted ? new(checking.AsTask().WaitAsync(cancellation)) : checking;
    }

    /// <inheritdoc />
    public async ValueTask<LimitReservation> ReserveAsync(
        IReadOnlyList<LimitCharge> charges, TimeSpan? timeToLive = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(charges);
        var holds = timeToLive ?? DefaultTimeToLive;
        if (holds < TimeSpan.FromSeconds(1) || holds > TimeSpan.FromHours(1))
            throw new WeirException($"timeToLive {holds} must be 1 s to 1 h.");
        cancellation.ThrowIfCancellationRequested();
        return await Waiting(ReserveAsync(PendingCheck.Of([.. charges]), holds), cancellation);
    }

    /// <inheritdoc />
    public ValueTask<bool> CommitAsync(LimitReservation reservation, int? actual, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(reservation);
        if (actual is < 0 or > RuleBounds.MaxCost)
            throw new WeirException($"actual {actual} must be 0 to {RuleBounds.MaxCost:N0}.");
        return Waiting(Backend.CommitAsync(reservation, actual), cancellation);
    }

    /// <inheritdoc />
    public ValueTask<bool> RenewAsync(LimitReservation reservation, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(reservation);
        return Waiting(Backend.RenewAsync(reservation), cancellation);
    }

    /// <inheritdoc />
    public ValueTask<long> RefundAsync(LimitReceipt receipt, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(receipt);
        return Waiting(Backend.RefundAsync(receipt), cancellation);
    }

    /// <summary>Ends it. What is under way is answered by failure policies.</summary>
    public ValueTask DisposeAsync() => Backend.DisposeAsync();

    private async ValueTask<LimitReservation> ReserveAsync(PendingCheck check, TimeSpan timeToLive)
    {
        try
        {
            return await Backend.ReserveAsync(check, timeToLive);
        }
        finally
        {
            check.Release();
        }
    }

    private static ValueTask<T> Waiting<T>(ValueTask<T> task, CancellationToken cancellation) =>
        cancellation.CanBeCanceled && !task.IsCompleted ? new(task.AsTask().WaitAsync(cancellation)) : task;

    private static ILogger LoggerOf(ILoggerFactory? log) => (ILogger?)log?.CreateLogger<WeirClient>() ?? NullLogger.Instance;
}
