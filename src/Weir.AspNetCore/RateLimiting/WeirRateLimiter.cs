using System.Threading.RateLimiting;
using Weir.AspNetCore.RateLimiting;
using Weir.AspNetCore.Waiting;

namespace Weir.AspNetCore;

/// <summary>
/// One key's limit in the words of <c>System.Threading.RateLimiting</c>: what counts is not in this object but where the <see cref="IWeirClient"/> counts, so that all
/// processes share it.
/// </summary>
/// <remarks>
/// <para>Thread safe. It holds next to nothing: make as many as there are keys and let them go.</para>
/// <para>
/// <see cref="RateLimiter.AcquireAsync"/> asks, and takes its permits or waits in a queue (<see cref="WeirRateLimiterOptions.QueueLimit"/>).
/// <see cref="RateLimiter.AttemptAcquire"/> must not wait: see <see cref="WeirRateLimiterOptions.AttemptBlocks"/>. Permits of 0 look without taking. More permits than the
/// limit can ever give are refused without <c>RetryAfter</c>, not by an exception.
/// </para>
/// <para>
/// Leases carry <see cref="MetadataName.RetryAfter"/> (exact, when refused), <see cref="MetadataName.ReasonPhrase"/> and <see cref="WeirMetadataName.Result"/>. Disposing of
/// one gives permits of <see cref="AlgorithmKind.Concurrency"/> back, which are renewed until then; other algorithms give nothing back, as .NET's own do.
/// </para>
/// </remarks>
public sealed class WeirRateLimiter : RateLimiter
{
    private readonly IWeirClient _client;
    private readonly Limit _limit;
    private readonly string _key;
    private readonly bool _attemptBlocks;
    private readonly bool _attemptAsks;
    private readonly TimeSpan _maxWait;
    private readonly TimeProvider _time;
    private readonly PermitLine _line;
    private readonly Gate? _gate;
    private long _lastUsed;
    private long _held;
    private long _waiting;
    private long _acquired;
    private long _refused;
    private long _remaining;
    private bool _isDisposed;

    /// <summary>A limiter for one key.</summary>
    /// <param name="client">Who counts.</param>
    /// <param name="limit">The limit. All limiters of the same name, numbers and key share their permits, in whatever process.</param>
    /// <param name="key">Who shares it, such as a user.</param>
    /// <param name="options">What else; null for the defaults.</param>
    /// <param name="time">The clock of waiting and renewing; null for the system's.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public WeirRateLimiter(IWeirClient client, Limit limit, string key, WeirRateLimiterOptions? options = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(limit);
        ArgumentNullException.ThrowIfNull(key);
        options ??= new WeirRateLimiterOptions();
        options.Validate();
        (_client, _limit, _key, _time) = (client, limit, key, time ?? TimeProvider.System);
        (_maxWait, _attemptBlocks) = (options.MaxWait, options.AttemptBlocks);
        // Memory answers before it returns, so that nothing is held up by asking it.
        _attemptAsks = _attemptBlocks || client is WeirClient { Backend: EngineBackend { Limiter: MemoryEngine } };
        _line = new PermitLine(client, _time);
        _gate = options.QueueLimit > 0 ? new Gate(_time, options.QueueLimit, _maxWait) : null;
        _lastUsed = _time.GetTimestamp();
        _remaining = limit.Rule?.Burst ?? 0;
    }

    /// <summary>Time since it was last used; null while leases are held or requests wait.</summary>
    public override TimeSpan? IdleDuration =>
        Interlocked.Read(ref _held) > 0 || Interlocked.Read(ref _waiting) > 0 ? null : _time.GetElapsedTime(Interlocked.Read(ref _lastUsed));

    /// <summary>Counts of this object, and the permits that remained when it was last answered: other processes may have taken them since.</summary>
    public override RateLimiterStatistics? GetStatistics() => new()
    {
        CurrentAvailablePermits = Interlocked.Read(ref _remaining),
        CurrentQueuedCount = Interlocked.Read(ref _waiting),
        TotalSuccessfulLeases = Interlocked.Read(ref _acquired),
        TotalFailedLeases = Interlocked.Read(ref _refused),
    };

    /// <inheritdoc />
    protected override RateLimitLease AttemptAcquireCore(int permitCount)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        Interlocked.Exchange(ref _lastUsed, _time.GetTimestamp());
        if (!_attemptAsks)
            return WeirLease.NotAsked;
        if (_attemptBlocks)
            return Lease(AskBlocking(permitCount));
        var asking = _line.AskAsync(ChargeOf(permitCount), CancellationToken.None);
        return Lease(asking.IsCompleted ? asking.GetAwaiter().GetResult() : asking.AsTask().GetAwaiter().GetResult());
    }

    private Permit AskBlocking(int permitCount) => Blocking.Wait(() => _line.AskAsync(ChargeOf(permitCount), CancellationToken.None).AsTask());

    /// <inheritdoc />
    protected override ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        Interlocked.Exchange(ref _lastUsed, _time.GetTimestamp());
        var charge = ChargeOf(permitCount);
        if (_gate is not null && permitCount > 0)
            return WaitAsync(_gate, charge, cancellationToken);
        var asking = _line.AskAsync(charge, cancellationToken);
        return asking.IsCompletedSuccessfully ? ValueTask.FromResult<RateLimitLease>(Lease(asking.GetAwaiter().GetResult())) : FinishAsync(asking);
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        _isDisposed = true;
        if (disposing)
            _gate?.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<RateLimitLease> FinishAsync(ValueTask<Permit> asking) => Lease(await asking);

    private async ValueTask<RateLimitLease> WaitAsync(Gate gate, LimitCharge charge, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            return Lease(await _line.AskAsync(gate, charge, new Patience(_time, _maxWait), cancellation));
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private LimitCharge ChargeOf(int permitCount)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(permitCount, RuleBounds.MaxCost);
        return new LimitCharge(_limit, _key, permitCount);
    }

    private WeirLease Lease(in Permit permit)
    {
        Interlocked.Exchange(ref _lastUsed, _time.GetTimestamp());
        Interlocked.Exchange(ref _remaining, permit.Result.Remaining);
        if (!permit.Result.IsAllowed)
        {
            Interlocked.Increment(ref _refused);
            return WeirLease.Refused(permit.Result);
        }
        Interlocked.Increment(ref _acquired);
        if (permit.Lease is not null)
            Interlocked.Increment(ref _held);
        return WeirLease.Acquired(permit.Result, permit.Lease, OnEnd);
    }

    private void OnEnd(WeirLease lease)
    {
        Interlocked.Decrement(ref _held);
        Interlocked.Exchange(ref _lastUsed, _time.GetTimestamp());
    }
}
