using System.Collections.Concurrent;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Weir.AspNetCore;

/// <summary>
/// Partitions for <c>AddRateLimiter</c> whose limits all instances of an application share: where <see cref="RateLimitPartition"/> makes a limiter of this process, this makes
/// one of all.
/// </summary>
/// <remarks>
/// The application calls <c>AddWeir</c>, and <c>UseNodes</c> or <c>UseRedis</c> on it. Names and keys together say which permits are shared: two policies that name the
/// same limit and key share them.
/// </remarks>
public static class WeirRateLimitPartition
{
    private const int MaxKnown = 1_000;
    private static readonly ConcurrentDictionary<(string, string, AlgorithmKind, long, TimeSpan, long?), Limit> Known = new();

    /// <summary>A partition of a limit that was set up in <see cref="WeirOptions.Limits"/>.</summary>
    /// <param name="context">The request.</param>
    /// <param name="key">Who shares the limit.</param>
    /// <param name="limit">Name of the limit.</param>
    /// <param name="options">Queue and synchronous attempts; null for the defaults.</param>
    /// <exception cref="InvalidOperationException">Weir is not set up, or there is no limit of this name.</exception>
    public static RateLimitPartition<string> Get(HttpContext context, string key, string limit, WeirRateLimiterOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(limit);
        var services = context.RequestServices;
        var found = Service<LimitPlans>(services).Find(limit) ?? throw new InvalidOperationException($"There is no limit '{limit}'. Add it in AddWeir.");
        return Get(Service<IWeirClient>(services), key, found, options, services.GetService<TimeProvider>());
    }

    /// <summary>A partition of any limit, for limiters outside of requests too.</summary>
    /// <param name="client">Who counts.</param>
    /// <param name="key">Who shares the limit.</param>
    /// <param name="limit">The limit. Make it once and keep it.</param>
    /// <param name="options">Queue and synchronous attempts; null for the defaults.</param>
    /// <param name="time">The clock of waiting and renewing; null for the system's.</param>
    public static RateLimitPartition<string> Get(
        IWeirClient client, string key, Limit limit, WeirRateLimiterOptions? options = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(limit);
        return RateLimitPartition.Get(key, own => new WeirRateLimiter(client, limit, own, options, time));
    }

    /// <summary>A token bucket as .NET's options say it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="name">Name of the limit: 1 to 128 printable ASCII characters.</param>
    /// <param name="key">Who shares the limit.</param>
    /// <param name="factory">
    /// The same that <see cref="RateLimitPartition.GetTokenBucketLimiter"/> takes. Tokens come back one by one, not all at each period's end; the queue is served oldest first.
    /// </param>
    /// <exception cref="InvalidOperationException">Weir is not set up.</exception>
    /// <exception cref="RuleException">A value is out of its range.</exception>
    public static RateLimitPartition<string> GetTokenBucketLimiter(
        HttpContext context, string name, string key, Func<string, TokenBucketRateLimiterOptions> factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        return Make(context, name, key, own =>
        {
            var said = factory(own);
            return (AlgorithmKind.TokenBucket, said.TokensPerPeriod, said.ReplenishmentPeriod, said.TokenLimit, said.QueueLimit);
        });
    }

    /// <summary>A fixed window as .NET's options say it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="name">Name of the limit: 1 to 128 printable ASCII characters.</param>
    /// <param name="key">Who shares the limit.</param>
    /// <param name="factory">The same that <see cref="RateLimitPartition.GetFixedWindowLimiter"/> takes. Windows are aligned to the clock; the queue is served oldest first.</param>
    /// <exception cref="InvalidOperationException">Weir is not set up.</exception>
    /// <exception cref="RuleException">A value is out of its range.</exception>
    public static RateLimitPartition<string> GetFixedWindowLimiter(
        HttpContext context, string name, string key, Func<string, FixedWindowRateLimiterOptions> factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        return Make(context, name, key, own =>
        {
            var said = factory(own);
            return (AlgorithmKind.FixedWindow, said.PermitLimit, said.Window, null, said.QueueLimit);
        });
    }

    /// <summary>A sliding window as .NET's options say it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="name">Name of the limit: 1 to 128 printable ASCII characters.</param>
    /// <param name="key">Who shares the limit.</param>
    /// <param name="factory">
    /// The same that <see cref="RateLimitPartition.GetSlidingWindowLimiter"/> takes. There are no segments: the limit holds for every interval; the queue is served oldest first.
    /// </param>
    /// <exception cref="InvalidOperationException">Weir is not set up.</exception>
    /// <exception cref="RuleException">A value is out of its range.</exception>
    public static RateLimitPartition<string> GetSlidingWindowLimiter(
        HttpContext context, string name, string key, Func<string, SlidingWindowRateLimiterOptions> factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        return Make(context, name, key, own =>
        {
            var said = factory(own);
            return (AlgorithmKind.SlidingWindow, said.PermitLimit, said.Window, null, said.QueueLimit);
        });
    }

    /// <summary>Requests at once, as .NET's options say it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="name">Name of the limit: 1 to 128 printable ASCII characters.</param>
    /// <param name="key">Who shares the limit.</param>
    /// <param name="factory">The same that <see cref="RateLimitPartition.GetConcurrencyLimiter"/> takes. The queue is served oldest first.</param>
    /// <remarks>Permits of a process that dies come back after a minute.</remarks>
    /// <exception cref="InvalidOperationException">Weir is not set up.</exception>
    /// <exception cref="RuleException">A value is out of its range.</exception>
    public static RateLimitPartition<string> GetConcurrencyLimiter(
        HttpContext context, string name, string key, Func<string, ConcurrencyLimiterOptions> factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        return Make(context, name, key, own =>
        {
            var said = factory(own);
            return (AlgorithmKind.Concurrency, said.PermitLimit, TimeSpan.FromMinutes(1), null, said.QueueLimit);
        });
    }

    private static RateLimitPartition<string> Make(
        HttpContext context, string name, string key,
        Func<string, (AlgorithmKind Algorithm, int Permits, TimeSpan Window, int? Burst, int QueueLimit)> factory)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(name);
        var services = context.RequestServices;
        var client = Service<IWeirClient>(services);
        var weir = Service<IOptions<WeirOptions>>(services).Value;
        var time = services.GetService<TimeProvider>();
        return RateLimitPartition.Get(key, own =>
        {
            var (algorithm, permits, window, burst, queue) = factory(own);
            var limit = LimitOf(weir, name, algorithm, permits, window, burst);
            return new WeirRateLimiter(client, limit, own, new WeirRateLimiterOptions { QueueLimit = queue }, time);
        });
    }

    // The same for all keys, usually: one limit each is enough. Where every key has numbers of its own, some are made anew.
    private static Limit LimitOf(WeirOptions weir, string name, AlgorithmKind algorithm, int permits, TimeSpan window, int? burst)
    {
        var identity = (weir.Domain, name, algorithm, (long)permits, window, (long?)burst);
        if (Known.TryGetValue(identity, out var known))
            return known;
        var limit = Limit.Create(
            name, new LimitOptions { Algorithm = algorithm, Permits = permits, Window = window, Burst = burst, Failure = weir.Failure }, weir.Domain);
        return Known.Count < MaxKnown ? Known.GetOrAdd(identity, limit) : limit;
    }

    private static T Service<T>(IServiceProvider services)
        where T : notnull =>
        services.GetService<T>() ?? throw new InvalidOperationException("Weir is not set up. Call AddWeir, and UseNodes, UseRedis or UseMemory on it.");
}
