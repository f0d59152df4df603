using System.Net;
using Weir.AspNetCore.Outgoing.Fields;
using Weir.AspNetCore.Waiting;

namespace Weir.AspNetCore.Outgoing;

/// <summary>What is known of the limits that one client's requests meet. Shared by all handlers of that client.</summary>
/// <remarks>
/// There is a gate for each partition, which servers' answers close, and one for each key of our own limit, which the limiter's answers close: however many requests
/// wait for a permit, the limiter is asked by one at a time.
/// </remarks>
internal sealed class OutgoingLimits : IDisposable
{
    private readonly TimeProvider _time;
    private readonly TimeSpan _maxWait;
    private readonly WhenLimited _whenLimited;
    private readonly bool _honorRemaining;
    private readonly Func<HttpRequestMessage, string?> _partition;
    private readonly Limit? _limit;
    private readonly Func<HttpRequestMessage, string?>? _limitKey;
    private readonly PermitLine? _asking;
    private readonly GateTable _servers;
    private readonly GateTable _permits;

    public OutgoingLimits(WeirHandlerOptions options, IWeirClient? client, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        var problems = options.Problems();
        if (options.Limit is not null && client is null)
            problems.Add("WeirHandlerOptions.Limit: there is nobody to ask for permits. Register Weir (AddWeir), or give the handler a client.");
        if (problems.Count > 0)
            throw new ArgumentException(string.Join(Environment.NewLine, problems), nameof(options));
        _time = time;
        _maxWait = options.MaxWait;
        _whenLimited = options.WhenLimited;
        _honorRemaining = options.HonorRemaining;
        _partition = options.Partition ?? (static request => request.RequestUri is { IsAbsoluteUri: true } uri ? uri.GetLeftPart(UriPartial.Authority) : null);
        _limit = options.Limit;
        _limitKey = options.LimitKey;
        _asking = options.Limit is null ? null : new PermitLine(client!, time);
        MaxResends = options.MaxResends;
        _servers = new GateTable(time, options.MaxPartitions, options.MaxWaiting, options.MaxClosed);
        _permits = new GateTable(time, options.MaxPartitions, options.MaxWaiting, options.MaxClosed);
    }

    public int MaxResends { get; }

    public Patience Patience() => new(_time, _maxWait);

    public string? PartitionOf(HttpRequestMessage request) => _partition(request);

    public HeldGate Hold(string partition) => new(_servers, partition);

    /// <summary>Takes a permit of our own limit, if there is one, and waits until the server may be asked.</summary>
    public async ValueTask<(Ticket Ticket, Stopped? Stopped)> EnterAsync(
        Gate? gate, HttpRequestMessage request, string partition, Patience patience, CancellationToken cancellation)
    {
        // No permit is wasted on what cannot be sent.
        if (gate?.ClosedFor is { } closed && closed > patience.Left)
            return (default, Stopped.ByServer(partition, Stop.TooLong, closed, patience));
        HeldReservation? lease = null;
        if (_limit is not null && (_limitKey is null ? partition : _limitKey(request)) is { } key)
        {
            using var held = new HeldGate(_permits, key);
            var permit = await _asking!.AskAsync(held.Gate, new LimitCharge(_limit, key), patience, cancellation);
            if (!permit.Result.IsAllowed)
                return (default, Stopped.ByLimit(_limit, key, permit, patience));
            lease = permit.Lease;
        }
        if (gate is null)
            return (new Ticket(default, lease), null);
        try
        {
            var entry = await patience.EnterAsync(gate, cancellation);
            if (entry.IsGiven)
                return (new Ticket(entry.Pass, lease), null);
            await ReleaseAsync(lease);
            return (default, Stopped.ByServer(partition, entry.Stop, entry.RetryAfter, patience));
        }
        catch
        {
            await ReleaseAsync(lease);
            throw;
        }
    }

    /// <summary>Learns from an answer.</summary>
    /// <returns>How long to wait before the request may be sent again; null when the answer is none that says so.</returns>
    public TimeSpan? Answered(Gate? gate, Ticket ticket, string partition, HttpRequestMessage request, HttpResponseMessage response)
    {
        var hint = LimitFields.Read(response, _time.GetUtcNow());
        // A 503 is about limits only when it says when to come back.
        var refused = response.StatusCode == HttpStatusCode.TooManyRequests || (response.StatusCode == HttpStatusCode.ServiceUnavailable && hint.ClosedFor is not null);
        if (!_honorRemaining)
            hint = new LimitHint(refused ? hint.ClosedFor : null, null, null);
        var answeredBy = PartitionOf(request);
        if (answeredBy is null || string.Equals(answeredBy, partition, StringComparison.Ordinal))
        {
            gate?.Answer(ticket.Pass, hint, refused);
            return refused ? gate?.ClosedFor : null;
        }
        gate?.Answer(ticket.Pass, LimitHint.None, refused: false);
        using var other = Hold(answeredBy);
        other.Gate?.Learn(hint, refused);
        return refused ? other.Gate?.ClosedFor : null;
    }

    /// <summary>Takes a pass back when there is no answer.</summary>
    public static ValueTask FailedAsync(Gate? gate, Ticket ticket)
    {
        gate?.Leave(ticket.Pass, sent: true);
        return ReleaseAsync(ticket.Lease);
    }

    /// <summary>Gives a lease back.</summary>
    public static ValueTask ReleaseAsync(HeldReservation? lease) => lease?.EndAsync() ?? ValueTask.CompletedTask;

    /// <summary>What the caller gets for a request that is not sent.</summary>
    public HttpResponseMessage Refuse(HttpRequestMessage request, string partition, Stopped stopped)
    {
        if (_whenLimited == WhenLimited.Throw)
            throw new OutgoingLimitException(stopped.Message, partition, stopped.RetryAfter);
        return OutgoingLimitExtensions.NotSent(request, stopped.Message, stopped.RetryAfter);
    }

    public void Dispose()
    {
        _servers.Dispose();
        _permits.Dispose();
    }
}

/// <summary>What a request holds while it is under way.</summary>
/// <param name="Pass">The server gate's pass.</param>
/// <param name="Lease">A permit that is given back afterwards.</param>
internal readonly record struct Ticket(Pass Pass, HeldReservation? Lease);
