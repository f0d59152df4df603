using Weir.Resp;

namespace Weir.Redis;

/// <summary>
/// Decides by counters in Redis or Valkey that all nodes share. Over all nodes together each algorithm keeps its promise, in the time of the server's clock;
/// while Redis cannot be asked, each rule's failure policy decides, and every such decision says so.
/// </summary>
/// <remarks>Thread safe. Decisions allocate nothing once warm.</remarks>
public sealed partial class RedisEngine : ILimiter, IAsyncDisposable
{
    private readonly EngineContext _context;
    private readonly Shard[] _shards;
    private readonly Metronome _metronome;
    private readonly LocalShares _shares;
    private readonly FailurePolicies _policies;
    private readonly Lock _status = new();
    private EngineStatus _lastStatus = new(EngineHealth.Starting, "Redis has not been reached yet");
    private bool _isStarted;

    /// <summary>Makes an engine. It begins to work with <see cref="StartAsync"/>.</summary>
    /// <param name="client">Where the counters are. Not disposed of by the engine.</param>
    /// <param name="options">Dimensions; null for the defaults.</param>
    /// <param name="time">Clock of what nodes remember; null for the system's. Decisions go by the server's clock.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public RedisEngine(IRespClient client, RedisEngineOptions? options = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        time ??= TimeProvider.System;
        _context = new EngineContext(client, RedisEngineOptions.Check(options ?? new RedisEngineOptions()), time)
        {
            HealthChanged = OnHealthChanged,
            Metronome = () => _metronome!,
            Shares = () => _shares!,
        };
        _shards = new Shard[_context.Keys.Shards];
        for (var i = 0; i < _shards.Length; i++)
            _shards[i] = new Shard(_context, i);
        _metronome = new Metronome(_shards);
        _shares = new LocalShares(time, ShardOf);
        _policies = new FailurePolicies(_shares, _context.Counters);
    }

    /// <summary>Told when the engine's state changes, by any thread, in order. Must be quick. Set before <see cref="StartAsync"/>.</summary>
    public Action<EngineStatus>? StatusChanged { get; set; }

    /// <summary>How things are now: the worst of the shards.</summary>
    public EngineStatus Status => Worst();

    /// <summary>What was counted since the start.</summary>
    public EngineCounters Counters => _context.Counters;

    /// <summary>Nodes that share the limits now; the policy <c>local</c> decides from one such part. 1 or more.</summary>
    public int Nodes
    {
        get => _shares.Nodes;
        set => _shares.Nodes = value;
    }

    /// <inheritdoc />
    /// <remarks>As of a few seconds ago, and at most: some of them have become idle meanwhile.</remarks>
    public long ActiveCounters
    {
        get
        {
            var counters = 0L;
            foreach (var shard in _shards)
                counters += shard.Counters;
            return counters;
        }
    }

    internal IReadOnlyList<Shard> Shards => _shards;

    /// <summary>Connects and begins to decide. Returns when the first attempt has succeeded or failed; attempts go on.</summary>
    /// <exception cref="RespFailureException">The first attempt failed; the message says why.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task StartAsync(CancellationToken cancellation = default)
    {
        if (!_isStarted)
        {
            _isStarted = true;
            _context.Client.StateChanged += OnConnectionChanged;
            foreach (var shard in _shards)
                shard.Start();
        }
        await _context.Client.ConnectAsync(cancellation);
        while (!Array.TrueForAll(_shards, static s => s.WasAsked) && _context.Client.State.IsConnected)
            await Task.Delay(TimeSpan.FromMilliseconds(5), cancellation);
    }

    /// <inheritdoc />
    public ValueTask<Decision> DecideAsync(in Charge charge)
    {
        var shard = ShardOf(charge.Id);
        var timestamp = _context.Time.GetTimestamp();
        if (shard.Memory.TryRefuse(charge, timestamp, out var refusal))
        {
            _context.Counters.Add(EngineCount.DenyCacheHits);
            return new(refusal);
        }
        var operation = ChargeOperation.Rent(charge, _policies);
        var task = operation.Task;
        shard.Enqueue(operation, timestamp);
        return task;
    }

    /// <inheritdoc />
    /// <exception cref="EngineUnavailableException">Redis cannot be asked.</exception>
    public ValueTask<long> SettleAsync(in Charge charge, long? stamp, int actual)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(actual);
        return new(CorrectAsync(new CorrectionOperation(OperationKind.Settle, charge, stamp, actual)));
    }

    /// <inheritdoc />
    /// <exception cref="EngineUnavailableException">Redis cannot be asked.</exception>
    public ValueTask<bool> RenewAsync(in Charge charge, long stamp) => IsOneAsync(CorrectAsync(new CorrectionOperation(OperationKind.Renew, charge, stamp, 0)));

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_isStarted)
        {
            _context.Client.StateChanged -= OnConnectionChanged;
            foreach (var shard in _shards)
                await shard.DisposeAsync();
            _metronome.Dispose();
        }
        _shares.Dispose();
    }

    private Task<long> CorrectAsync(CorrectionOperation correction)
    {
        ShardOf(correction.Charge.Id).Enqueue(correction, _context.Time.GetTimestamp());
        return correction.Task;
    }

    private static async ValueTask<bool> IsOneAsync(Task<long> answer) => await answer == 1;

    private Shard ShardOf(CounterId id) => _shards[_context.Keys.ShardOf(id)];

    private EngineStatus Worst()
    {
        var worst = _shards[0].Status;
        foreach (var shard in _shards)
        {
            if (Rank(shard.Status.Health) > Rank(worst.Health))
                worst = shard.Status;
        }
        return worst;
    }

    private static int Rank(EngineHealth health) => health switch
    {
        EngineHealth.Healthy => 0,
        EngineHealth.Suspect => 1,
        EngineHealth.Resync => 2,
        EngineHealth.Degraded => 3,
        _ => 4,
    };

    private void OnConnectionChanged(object? sender, RespStateChangedEventArgs change)
    {
        if (change.State.IsConnected)
            return;
        foreach (var shard in _shards)
            shard.NoticeLoss();
    }

    private void OnHealthChanged()
    {
        lock (_status)
        {
            var now = Worst();
            if (now.Health == _lastStatus.Health)
                return;
            _lastStatus = now;
            try
            {
                StatusChanged?.Invoke(now);
            }
            catch (Exception)
            {
                // It is told for information; whoever fails to take note must not stop those that decide.
            }
        }
    }
}
