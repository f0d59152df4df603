namespace Weir.Resp;

/// <summary>
/// Keeps one connection to one server, or to the primary that Sentinels name: connects again when it is lost, after a pause that grows,
/// and says what happens. Without a connection, commands fail at once and are not kept for later. Thread safe.
/// </summary>
public sealed partial class RespClient : IRespClient
{
    private static readonly RespFailure NotConnected = new(RespStage.Command, RespCause.NotConnected);

    private readonly RespOptions _options;
    private readonly TimeProvider _time;
    private readonly RespConnector _connector;
    private readonly IEndpointSource _source;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource<RespFailureException?> _firstOutcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private RespConnection? _connection;
    private RespClientState _state = new();

    // Guarded by the gate.
    private TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _running;
    private bool _isDisposed;

    /// <summary>Makes a client. It connects once <see cref="ConnectAsync"/> is called.</summary>
    /// <param name="options">For one server or for Sentinels.</param>
    /// <param name="time">The clock of deadlines and pauses. Default: the system's.</param>
    /// <param name="onPush">Takes messages that answer no command. Default: they are dropped.</param>
    /// <exception cref="ArgumentException">Options are out of their ranges, or for a Cluster; the message names all problems.</exception>
    public RespClient(RespOptions options, TimeProvider? time = null, RespPushHandler? onPush = null)
        : this(options, time ?? TimeProvider.System, onPush, null)
    {
        if (options.Topology == RespTopology.Cluster)
        {
            throw new ArgumentException(
                "The options are for a Cluster. Use RespClusterClient, or RespClients.Create, which chooses.", nameof(options));
        }
    }

    private RespClient(RespOptions options, TimeProvider time, RespPushHandler? onPush, RespEndpoint? node)
    {
        RespOptionsValidation.ThrowIfInvalid(options);
        _options = options;
        _time = time;
        _connector = new RespConnector(options, time, new RespConnectionEvents { OnPush = onPush, OnError = OnError });
        _source = options.Topology == RespTopology.Sentinel
            ? new SentinelSource(options, time)
            : new FixedEndpoint(node ?? options.Endpoints[0]);
    }

    /// <inheritdoc/>
    public event EventHandler<RespStateChangedEventArgs>? StateChanged;

    /// <inheritdoc/>
    public RespClientState State => Volatile.Read(ref _state);

    /// <inheritdoc/>
    public IReadOnlyList<RespClient> Primaries => [this];

    /// <summary>Commands whose replies have not come yet; 0 without a connection.</summary>
    public int Pending => Volatile.Read(ref _connection)?.Pending ?? 0;

    /// <inheritdoc/>
    public async Task ConnectAsync(CancellationToken cancellationToken = default)
    {
        Start();
        if (await _firstOutcome.Task.WaitAsync(cancellationToken) is { } failure)
            throw new RespFailureException(failure);
    }

    /// <summary>Waits until there is a connection, however many attempts it takes. <see cref="ConnectAsync"/> was called before.</summary>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="ObjectDisposedException">The client was disposed of.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task WaitForConnectionAsync(CancellationToken cancellationToken = default)
    {
        lock (_gate)
            return _connected.Task.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Sends a command and waits for its reply. Failures are part of the result and not thrown. Allocates nothing once warm.
    /// </summary>
    /// <param name="command">Written before this call returns.</param>
    /// <param name="timeout">How long to wait. Zero: <see cref="RespOptions.CommandTimeout"/>.</param>
    /// <param name="cancellationToken">Stops waiting. The command may be executed nevertheless.</param>
    /// <returns>The reply, to be disposed of; or why there is none. Await it exactly once.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The command was written wrongly. Nothing was sent.</exception>
    public ValueTask<RespReply> SendAsync(IRespCommand command, TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        SendAsync(command, asking: false, timeout, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<RespReply> SendAsync(
        IRespCommand command, int slot, TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        SendAsync(command, asking: false, timeout, cancellationToken);

    /// <summary>
    /// Closes the connection and stops connecting. Commands that wait are completed with <see cref="RespCause.Disposed"/>.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        Task? running;
        lock (_gate)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            running = _running ??= Task.CompletedTask;
        }
        await _stop.CancelAsync();
        await running;
        _firstOutcome.TrySetCanceled();
        lock (_gate)
            _connected.TrySetException(new ObjectDisposedException(nameof(RespClient)));
        // Nobody may be waiting for it.
        _ = _connected.Task.Exception;
        await _source.DisposeAsync();
        _stop.Dispose();
    }

    /// <summary>Makes the client of one node of a Cluster.</summary>
    internal static RespClient ForNode(RespOptions options, RespEndpoint node, TimeProvider time) => new(options, time, null, node);

    /// <summary>Starts to connect, once.</summary>
    internal void Start()
    {
        lock (_gate)
            _running ??= Task.Run(RunAsync);
    }

    internal ValueTask<RespReply> SendAsync(IRespCommand command, bool asking, TimeSpan timeout, CancellationToken cancellationToken) =>
        Volatile.Read(ref _connection) is { } connection
            ? connection.SendAsync(command, asking, timeout, cancellationToken)
            : new ValueTask<RespReply>(new RespReply(NotConnected));
}
