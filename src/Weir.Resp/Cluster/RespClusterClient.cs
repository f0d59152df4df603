using System.Runtime.CompilerServices;

namespace Weir.Resp;

/// <summary>
/// Sends commands to the primaries of a Cluster, one connection each, by slot. It learns which node has which slots from the nodes, and
/// again when one redirects it, when a connection is lost, and from time to time. Thread safe.
/// </summary>
/// <remarks>
/// Redirections (<c>MOVED</c>, <c>ASK</c>) and <c>TRYAGAIN</c> are followed within the command's deadline: they prove that it did not
/// run. All other errors, and lost replies, are the caller's to judge.
/// <para>
/// Threads: <c>_routes</c> is read without a lock and changed one slot at a time; a stale entry costs a redirection. Nodes come and go
/// under <c>_gate</c>.
/// </para>
/// </remarks>
public sealed partial class RespClusterClient : IRespClient
{
    private const int MaxRedirections = 16;

    private readonly RespOptions _options;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly RespClient?[] _routes = new RespClient?[RespSlots.Count];
    private readonly Lock _gate = new();
    private readonly Dictionary<RespEndpoint, Node> _nodes = [];
    private Task? _running;
    private bool _isStopped;

    /// <summary>Makes a client. It connects once <see cref="ConnectAsync"/> is called.</summary>
    /// <param name="options">For a Cluster. Its endpoints are asked for the others; not all of them need to be there.</param>
    /// <param name="time">The clock of deadlines and pauses. Default: the system's.</param>
    /// <exception cref="ArgumentException">
    /// Options are out of their ranges, or not for a Cluster; the message names all problems.
    /// </exception>
    public RespClusterClient(RespOptions options, TimeProvider? time = null)
    {
        RespOptionsValidation.ThrowIfInvalid(options);
        if (options.Topology != RespTopology.Cluster)
        {
            throw new ArgumentException(
                $"The options are for {options.Topology}, not for a Cluster. Use RespClients.Create, which chooses.", nameof(options));
        }
        _options = options;
        _time = time ?? TimeProvider.System;
        _seedConnector = new RespConnector(options, _time, new RespConnectionEvents());
    }

    /// <inheritdoc/>
    public event EventHandler<RespStateChangedEventArgs>? StateChanged;

    /// <inheritdoc/>
    public RespClientState State
    {
        get
        {
            var primaries = Primaries;
            if (primaries.Count == 0)
                return new RespClientState { Reason = Volatile.Read(ref _refreshFailure) };
            return primaries.Select(static p => p.State).FirstOrDefault(static s => !s.IsConnected) ?? primaries[0].State;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<RespClient> Primaries
    {
        get
        {
            lock (_gate)
                return [.. _nodes.Values.Where(static n => n.IsPrimary).Select(static n => n.Client)];
        }
    }

    /// <inheritdoc/>
    public async Task ConnectAsync(CancellationToken cancellationToken = default)
    {
        await RefreshAsync(cancellationToken);
        lock (_gate)
            _running ??= Task.Run(RunAsync, CancellationToken.None);
        await Task.WhenAll(Primaries.Select(p => p.ConnectAsync(cancellationToken)));
    }

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<RespReply> SendAsync(
        IRespCommand command, int slot, TimeSpan timeout = default, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(slot, -1);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(slot, RespSlots.Count);
        if ((slot < 0 ? AnyPrimary() : Volatile.Read(ref _routes[slot])) is not { } client)
        {
            RequestRefresh();
            return new RespReply(new RespFailure(RespStage.Command, RespCause.SlotUnassigned));
        }
        var since = _time.GetTimestamp();
        var reply = await client.SendAsync(command, timeout, cancellationToken);
        return IsFinal(reply) ? reply : await FollowAsync(command, slot, client, reply, since, timeout, cancellationToken);
    }

    /// <summary>Closes all connections. Commands that wait are completed with <see cref="RespCause.Disposed"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        RespClient[] clients;
        lock (_gate)
        {
            if (_isStopped)
                return;
            _isStopped = true;
            clients = [.. _nodes.Values.Select(static n => n.Client)];
            _nodes.Clear();
        }
        await _stop.CancelAsync();
        if (_running is { } running)
            await running;
        foreach (var client in clients)
            await client.DisposeAsync();
        _stop.Dispose();
        _refreshing.Dispose();
    }

    private bool IsFinal(in RespReply reply)
    {
        if (!reply.HasReply)
        {
            if (reply.Failure.Cause == RespCause.NotConnected)
                RequestRefresh();
            return true;
        }
        if (!reply.IsError)
            return true;
        var kind = reply.ErrorKind;
        if (kind == RespErrorKind.ClusterDown)
            RequestRefresh();
        return kind is not (RespErrorKind.Moved or RespErrorKind.Ask or RespErrorKind.TryAgain);
    }

    private async Task<RespReply> FollowAsync(
        IRespCommand command, int slot, RespClient client, RespReply reply, long since, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var (asking, total) = (false, timeout == TimeSpan.Zero ? _options.CommandTimeout : timeout);
        for (var hop = 0; hop < MaxRedirections; hop++)
        {
            var kind = reply.ErrorKind;
            var target = ReadTarget(reply, client.State.Endpoint ?? default);
            reply.Dispose();
            if (kind == RespErrorKind.TryAgain)
                await PauseAsync(Jitter.Between(hop, (2 * hop) + 1), total - _time.GetElapsedTime(since), cancellationToken);
            else if (target is { } endpoint && TryVisit(endpoint) is { } visited)
                (client, asking) = (visited, kind == RespErrorKind.Ask);
            else
                break;
            if (kind == RespErrorKind.Moved)
                Reroute(slot, client);
            var left = total - _time.GetElapsedTime(since);
            if (left <= TimeSpan.Zero)
                return new RespReply(new RespFailure(RespStage.Command, RespCause.TimedOut));
            reply = await SendToAsync(client, command, asking, since, total, cancellationToken);
            if (IsFinal(reply))
                return reply;
        }
        reply.Dispose();
        return new RespReply(new RespFailure(RespStage.Command, RespCause.TooManyRedirections));
    }

    // No longer than the caller waits.
    private Task PauseAsync(TimeSpan pause, TimeSpan left, CancellationToken cancellationToken) =>
        left > TimeSpan.Zero ? Task.Delay(pause < left ? pause : left, _time, cancellationToken) : Task.CompletedTask;

    // A node that was just heard of is still being connected to.
    private async ValueTask<RespReply> SendToAsync(
        RespClient client, IRespCommand command, bool asking, long since, TimeSpan total, CancellationToken cancellationToken)
    {
        if (!client.State.IsConnected)
        {
            var connected = client.WaitForConnectionAsync(cancellationToken);
            await connected.WaitAsync(total - _time.GetElapsedTime(since), _time, CancellationToken.None)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        var left = total - _time.GetElapsedTime(since);
        return left > TimeSpan.Zero
            ? await client.SendAsync(command, asking, left, cancellationToken)
            : new RespReply(new RespFailure(RespStage.Command, RespCause.TimedOut));
    }

    private void Reroute(int slot, RespClient client)
    {
        if (slot >= 0)
            Volatile.Write(ref _routes[slot], client);
        Volatile.Write(ref _redirectedTo, client);
        RequestRefresh();
    }

    // MOVED 3999 127.0.0.1:6381
    private static RespEndpoint? ReadTarget(in RespReply reply, RespEndpoint asked)
    {
        var text = reply.ErrorMessage.AsSpan();
        var space = text.LastIndexOf(' ');
        return RespEndpoint.TryParseRedirection(text[(space + 1)..], asked, out var endpoint) ? endpoint : null;
    }
}
