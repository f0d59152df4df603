using System.Globalization;

namespace Weir.Resp;

/// <summary>
/// Asks Sentinels where the primary is, the one first that answered last. Whether it is a primary indeed, the handshake with it checks: a
/// Sentinel may be cut off from the others and name the old one.
/// </summary>
/// <remarks>Used by one loop at a time, but for <see cref="DisposeAsync"/>.</remarks>
internal sealed class SentinelSource(RespOptions options, TimeProvider time) : IEndpointSource
{
    private readonly RespCommand _question = RespCommand.Create("SENTINEL", "GET-MASTER-ADDR-BY-NAME", options.PrimaryName ?? "");
    private readonly RespConnector _connector = new(options, time, new RespConnectionEvents());
    private readonly List<RespEndpoint> _sentinels = [.. options.Endpoints];
    private readonly SemaphoreSlim _turn = new(1);

    // To the first of the list.
    private RespConnection? _connection;

    public async Task<RespEndpoint> ResolveAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await AskAllAsync(cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    public async Task WatchAsync(RespEndpoint current, CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(Jitter.Around(options.SentinelPoll), time, cancellationToken);
            try
            {
                if (await ResolveAsync(cancellationToken) != current)
                    return;
            }
            catch (RespFailureException)
            {
                // The connection to the primary does not need the Sentinels.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is { } connection)
            await connection.DisposeAsync();
        _turn.Dispose();
    }

    private async Task<RespEndpoint> AskAllAsync(CancellationToken cancellationToken)
    {
        RespFailureException? failure = null;
        for (var i = 0; i < _sentinels.Count; i++)
        {
            try
            {
                return await AskFirstAsync(cancellationToken);
            }
            catch (RespFailureException e)
            {
                // That one is unknown to a Sentinel says more than that another is away.
                if (failure is null || e.Failure.Cause == RespCause.PrimaryUnknown)
                    failure = e;
                await GoToNextAsync();
            }
        }
        throw failure!;
    }

    private async Task<RespEndpoint> AskFirstAsync(CancellationToken cancellationToken)
    {
        var sentinel = _sentinels[0];
        if (_connection is null || _connection.Closed.IsCompleted)
            _connection = await _connector.ConnectAsync(sentinel, RespLogin.ToSentinel(options), cancellationToken);
        using var reply = await _connection.SendAsync(_question, options.ConnectTimeout, cancellationToken);
        if (!reply.IsValue)
            throw Failed(RespCause.TopologyUnknown, reply.ErrorMessage);
        return Read(reply.Root(), sentinel) ?? throw Failed(RespCause.PrimaryUnknown, $"the name is '{options.PrimaryName}'");

        RespFailureException Failed(RespCause cause, string detail) => new(new RespFailure(RespStage.Resolve, cause), sentinel, detail);
    }

    private static RespEndpoint? Read(RespReader reader, RespEndpoint sentinel)
    {
        if (reader.Type != RespType.Array || reader.Count != 2)
            return null;
        reader.Read();
        var host = reader.GetString();
        reader.Read();
        return int.TryParse(reader.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? new RespEndpoint(RespEndpoint.HostOr(sentinel, host), port)
            : null;
    }

    private async Task GoToNextAsync()
    {
        if (_connection is { } connection)
            await connection.DisposeAsync();
        _connection = null;
        _sentinels.Add(_sentinels[0]);
        _sentinels.RemoveAt(0);
    }
}
