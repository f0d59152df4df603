using Weir.Resp;

namespace Weir.Redis;

/// <summary>
/// What nodes share besides counters: who they are, the secret under which counters are named, and limits of single keys. Looks several times a second
/// whether anything has changed, tells the others of this node, and puts back what Redis has lost.
/// </summary>
/// <remarks>
/// One loop does all that changes this node's part, and is the only one to call the owner; <see cref="MeetAsync"/> does the same once before it runs.
/// Changes of overrides come from any thread: they are made in Redis, and the loop brings them here.
/// </remarks>
public sealed partial class SharedState : IAsyncDisposable
{
    private readonly SharedStateOptions _options;
    private readonly ISharedStateOwner _owner;
    private readonly TimeProvider _time;
    private readonly NodeRegistry _registry;
    private readonly SharedSeed _seed;
    private readonly SharedOverrides _overrides;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _met = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _running = Task.CompletedTask;
    private int _isDisposed;

    /// <summary>Makes this node's part. Nothing happens before <see cref="MeetAsync"/>.</summary>
    /// <param name="client">The connection, which others may use besides; it is not disposed of.</param>
    /// <param name="options">Who this node is.</param>
    /// <param name="owner">The node.</param>
    /// <param name="time">The clock of pauses. Default: the system's.</param>
    public SharedState(IRespClient client, SharedStateOptions options, ISharedStateOwner owner, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(owner);
        _options = options;
        _owner = owner;
        _time = time ?? TimeProvider.System;
        Store = new SharedStore(client, options.Server, options.Prefix, _time);
        _registry = new NodeRegistry(Store, options.NodeId, options.Ttl);
        _seed = new SharedSeed(Store);
        _overrides = new SharedOverrides(Store, owner) { Restored = OnRestored, Unreadable = OnUnreadable };
        _interval = options.PollInterval < options.Ttl / BeatsPerTtl ? options.PollInterval : options.Ttl / BeatsPerTtl;
        client.StateChanged += OnStateChanged;
    }

    /// <summary>Completed once this node has the shared seed, and may decide with others.</summary>
    public Task Met => _met.Task;

    /// <summary>Tells this start of this node from any other on the list.</summary>
    public string Instance => _registry.Instance;

    /// <summary>All nodes, as last seen.</summary>
    public NodeRoll Roll => _registry.Roll;

    /// <summary>Why this node does not know what the others do at the moment; null when it does.</summary>
    public string? Lost => Volatile.Read(ref _lost);

    /// <summary>Why limits could be wrong here, although Redis answers; null when they are right.</summary>
    public string? Trouble => Volatile.Read(ref _serverProblem) ?? (IsSeedNew ? SeedReplaced : null);

    internal SharedStore Store { get; }

    /// <summary>Connects, checks the server and learns what is shared. Goes on trying in the background once <see cref="Start"/> was called.</summary>
    /// <exception cref="RespFailureException">There is no connection; the message says why.</exception>
    /// <exception cref="SharedStateException">Redis did not do what was asked; the message says why.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task MeetAsync(CancellationToken cancellation)
    {
        try
        {
            await Store.Client.ConnectAsync(cancellation);
            await CheckServerAsync();
            // Whether scripts may run at all is better known now than later.
            Take(await _registry.LookAsync());
            await LookAsync();
        }
        catch (Exception e)
        {
            LoseSight(e.Message);
            throw;
        }
    }

    /// <summary>Begins to follow what is shared, and to tell the others of this node as soon as it has something to tell.</summary>
    public void Start() => _running = Task.Run(RunAsync);

    /// <summary>Tells the others at once that something about this node has changed.</summary>
    public void Wake() => Volatile.Read(ref _wake).TrySetResult();

    /// <summary>Looks who is there.</summary>
    /// <returns>All nodes; as last seen when Redis does not answer, see <see cref="Lost"/>.</returns>
    public async Task<NodeRoll> LookAroundAsync()
    {
        // Whether it answers again, the loop finds out.
        if (Lost is not null)
            return Roll;
        try
        {
            return await _registry.LookAsync();
        }
        catch (SharedStateException e)
        {
            Volatile.Write(ref _lost, e.Message);
            return Roll;
        }
    }

    /// <summary>Stops following, and takes this node off the list if Redis answers.</summary>
    public async Task LeaveAsync()
    {
        await _stop.CancelAsync();
        await _running;
        if (Volatile.Read(ref _lost) is not null || !_hasRegistered)
            return;
        try
        {
            await _registry.LeaveAsync();
        }
        catch (SharedStateException e)
        {
            _owner.Say(SharedSeverity.Information, $"this node could not be taken off the list of nodes and stays there until its time is over. {e.Message}");
        }
    }

    /// <summary>Stops following. Others see this node until its time is over, unless it has left.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;
        Store.Client.StateChanged -= OnStateChanged;
        await _stop.CancelAsync();
        await _running;
        _met.TrySetCanceled();
        _stop.Dispose();
    }

    private void OnStateChanged(object? sender, RespStateChangedEventArgs e)
    {
        // Whatever server it is now, its clock is not known.
        Store.Clock.Forget();
        _isNewConnection = true;
        if (e.State.IsConnected)
            Wake();
    }
}
