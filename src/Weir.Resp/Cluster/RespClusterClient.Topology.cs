namespace Weir.Resp;

/// <content>Learning which node has which slots.</content>
public sealed partial class RespClusterClient
{
    private static readonly RespCommand ClusterSlots = RespCommand.Create("CLUSTER", "SLOTS");
    private static readonly TimeSpan RefreshPause = TimeSpan.FromMilliseconds(50);

    private readonly RespConnector _seedConnector;
    private readonly SemaphoreSlim _refreshing = new(1);
    private RespFailureException? _refreshFailure;

    // Replaced by the loop, completed by whoever suspects that the map is out of date.
    private TaskCompletionSource _refreshRequest = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _generation;

    // Where the latest MOVED pointed.
    private RespClient? _redirectedTo;

    private void RequestRefresh() => Volatile.Read(ref _refreshRequest).TrySetResult();

    private async Task RunAsync()
    {
        var backOff = new BackOff(_options.MinBackOff, _options.MaxBackOff);
        while (!_stop.IsCancellationRequested)
        {
            await _refreshRequest.Task.WaitAsync(Jitter.Around(_options.TopologyRefresh), _time, _stop.Token)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // Requests that come from now on may know more than the answer that is about to be asked for.
            Volatile.Write(ref _refreshRequest, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            try
            {
                await RefreshAsync(_stop.Token);
                backOff.Reset();
                await Task.Delay(Jitter.Around(RefreshPause), _time, _stop.Token);
            }
            catch (RespFailureException)
            {
                RequestRefresh();
                await Task.Delay(backOff.Next(), _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await _refreshing.WaitAsync(cancellationToken);
        try
        {
            Apply(await AskAsync(cancellationToken));
            Volatile.Write(ref _refreshFailure, null);
        }
        catch (RespFailureException e)
        {
            Volatile.Write(ref _refreshFailure, e);
            throw;
        }
        finally
        {
            _refreshing.Release();
        }
    }

    // The node that a redirection named knows at least of that change, when others may not have heard yet. Then those that are connected,
    // in any order; then those that the URL names.
    private async Task<ClusterMap> AskAsync(CancellationToken cancellationToken)
    {
        RespFailureException? failure = null;
        var connected = Primaries.Where(static p => p.State.IsConnected).ToArray();
        Random.Shared.Shuffle(connected);
        var told = Interlocked.Exchange(ref _redirectedTo, null);
        Array.Sort(connected, (a, b) => (b == told).CompareTo(a == told));
        foreach (var client in connected)
        {
            try
            {
                using var reply = await client.SendAsync(ClusterSlots, _options.CommandTimeout, cancellationToken);
                return Read(reply, client.State.Endpoint ?? default);
            }
            catch (RespFailureException e)
            {
                failure = e;
            }
        }
        foreach (var seed in _options.Endpoints)
        {
            try
            {
                return await AskSeedAsync(seed, cancellationToken);
            }
            catch (RespFailureException e)
            {
                failure ??= e;
            }
        }
        throw failure!;
    }

    private async Task<ClusterMap> AskSeedAsync(RespEndpoint seed, CancellationToken cancellationToken)
    {
        var login = RespLogin.ToServer(_options) with { AllowReplica = true };
        await using var connection = await _seedConnector.ConnectAsync(seed, login, cancellationToken);
        using var reply = await connection.SendAsync(ClusterSlots, _options.CommandTimeout, cancellationToken);
        return Read(reply, seed);
    }

    private static ClusterMap Read(RespReply reply, RespEndpoint asked)
    {
        try
        {
            var map = reply.IsValue ? ClusterMap.Read(reply.Root(), asked) : throw Failed(reply.ErrorMessage, null);
            return map.Ranges.Count > 0 ? map : throw Failed("it has no slots", null);
        }
        catch (InvalidOperationException e)
        {
            throw Failed(e.Message, e);
        }

        RespFailureException Failed(string detail, Exception? inner) =>
            new(new RespFailure(RespStage.Resolve, RespCause.TopologyUnknown), asked, detail, inner);
    }

    private void Apply(ClusterMap map)
    {
        List<RespClient> left;
        lock (_gate)
        {
            if (_isStopped)
                return;
            _generation++;
            foreach (var node in _nodes.Values)
                node.IsPrimary = false;
            var routes = new RespClient?[RespSlots.Count];
            foreach (var (first, last, primary) in map.Ranges)
            {
                var node = FindLocked(primary);
                node.IsPrimary = true;
                routes.AsSpan(first, last - first + 1).Fill(node.Client);
            }
            // One after the other, so that no slot is without a route in between.
            for (var slot = 0; slot < routes.Length; slot++)
                Volatile.Write(ref _routes[slot], routes[slot]);
            left = RemoveUnusedLocked();
        }
        foreach (var client in left)
            _ = client.RetireAsync();
    }

    private RespClient? TryVisit(RespEndpoint endpoint)
    {
        lock (_gate)
            return _isStopped ? null : FindLocked(endpoint).Client;
    }

    private RespClient? AnyPrimary()
    {
        var primaries = Primaries;
        return primaries.Count == 0 ? null : primaries[Random.Shared.Next(primaries.Count)];
    }

    private Node FindLocked(RespEndpoint endpoint)
    {
        if (!_nodes.TryGetValue(endpoint, out var node))
        {
            node = new Node(RespClient.ForNode(_options, endpoint, _time));
            node.Client.StateChanged += OnNodeChanged;
            node.Client.Start();
            _nodes.Add(endpoint, node);
        }
        node.UsedIn = _generation;
        return node;
    }

    // A node that slots move to has none at first, and is only visited by redirections. It is kept until it was of no use for two maps.
    private List<RespClient> RemoveUnusedLocked()
    {
        var unused = _nodes.Where(n => n.Value.UsedIn < _generation - 1).ToList();
        foreach (var (endpoint, _) in unused)
            _nodes.Remove(endpoint);
        return [.. unused.Select(static n => n.Value.Client)];
    }

    private void OnNodeChanged(object? sender, RespStateChangedEventArgs e)
    {
        if (!e.State.IsConnected && !_stop.IsCancellationRequested)
            RequestRefresh();
        StateChanged?.Invoke(this, e);
    }

    private sealed class Node(RespClient client)
    {
        public RespClient Client => client;

        /// <summary>Whether the latest map gives it slots.</summary>
        public bool IsPrimary { get; set; }

        /// <summary>The latest map during which it was used.</summary>
        public int UsedIn { get; set; }
    }
}
