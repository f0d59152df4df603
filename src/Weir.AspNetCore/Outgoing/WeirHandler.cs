using Weir.AspNetCore.Outgoing;
using Weir.AspNetCore.Waiting;

namespace Weir.AspNetCore;

/// <summary>
/// Keeps a <see cref="HttpClient"/> within the limits of the servers it talks to: requests wait, or are not sent, for as long as the servers' answers say.
/// </summary>
/// <remarks>
/// <para>
/// Understood are <c>Retry-After</c> (seconds and dates) on 429 and 503, the IETF fields <c>RateLimit</c> and <c>RateLimit-Policy</c>, their older forms
/// <c>RateLimit-Remaining</c> and <c>RateLimit-Reset</c>, and <c>X-RateLimit-Remaining</c> and <c>X-RateLimit-Reset</c> with seconds, dates or times since 1970.
/// </para>
/// <para>
/// When a wait is over, one request goes first and its answer says how many may follow. Thread safe. With <c>IHttpClientFactory</c> use
/// <see cref="Microsoft.Extensions.DependencyInjection.WeirHttpClientBuilderExtensions.AddWeirHandler"/>, so that what is known outlives the factory's handlers.
/// </para>
/// </remarks>
public sealed class WeirHandler : DelegatingHandler
{
    private readonly OutgoingLimits _limits;
    private readonly bool _ownsLimits;

    /// <summary>A handler with a memory of its own.</summary>
    /// <param name="options">How to keep to limits.</param>
    /// <param name="client">Who is asked for permits of <see cref="WeirHandlerOptions.Limit"/>.</param>
    /// <param name="time">The clock and the timers. Default the system's.</param>
    /// <exception cref="ArgumentException">An option is out of its range, or there is a limit but nobody to ask. The message names every problem.</exception>
    public WeirHandler(WeirHandlerOptions options, IWeirClient? client = null, TimeProvider? time = null)
        : this(new OutgoingLimits(options, client, time ?? TimeProvider.System)) => _ownsLimits = true;

    internal WeirHandler(OutgoingLimits limits) => _limits = limits;

    /// <inheritdoc />
    /// <exception cref="OutgoingLimitException">The request would have to wait for too long, and <see cref="WhenLimited.Throw"/> is set.</exception>
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return SendAsync(request, static (handler, request, cancellation) => handler.SendOnAsync(request, cancellation), cancellationToken);
    }

    /// <inheritdoc />
    /// <remarks>Waits hold the calling thread, as everything does that is called through <see cref="HttpClient.Send(HttpRequestMessage)"/>.</remarks>
    /// <exception cref="OutgoingLimitException">The request would have to wait for too long, and <see cref="WhenLimited.Throw"/> is set.</exception>
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return Blocking.Wait(() => SendAsync(request, static (handler, request, cancellation) => Task.FromResult(handler.SendOn(request, cancellation)), cancellationToken));
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (disposing && _ownsLimits)
            _limits.Dispose();
        base.Dispose(disposing);
    }

    private Task<HttpResponseMessage> SendOnAsync(HttpRequestMessage request, CancellationToken cancellation) => base.SendAsync(request, cancellation);

    private HttpResponseMessage SendOn(HttpRequestMessage request, CancellationToken cancellation) => base.Send(request, cancellation);

    private async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, Func<WeirHandler, HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send, CancellationToken cancellation)
    {
        var patience = _limits.Patience();
        for (var resends = 0; ; resends++)
        {
            // Anew each time: a redirect has changed the address, and the request goes there at once now.
            if (_limits.PartitionOf(request) is not { } partition)
                return await send(this, request, cancellation);
            using var held = _limits.Hold(partition);
            var (ticket, stopped) = await _limits.EnterAsync(held.Gate, request, partition, patience, cancellation);
            if (stopped is not null)
                return _limits.Refuse(request, partition, stopped);
            HttpResponseMessage response;
            try
            {
                response = await send(this, request, cancellation);
            }
            catch
            {
                await OutgoingLimits.FailedAsync(held.Gate, ticket);
                throw;
            }
            var wait = _limits.Answered(held.Gate, ticket, partition, request, response);
            await OutgoingLimits.ReleaseAsync(ticket.Lease);
            if (wait is not { } time || time > patience.Left || resends == _limits.MaxResends || !Resending.IsPossible(request, response.StatusCode))
                return response;
            response.Dispose();
        }
    }
}
