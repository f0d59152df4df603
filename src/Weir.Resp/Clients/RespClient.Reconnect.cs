namespace Weir.Resp;

/// <content>The loop that makes the connection, watches it, and makes the next.</content>
public sealed partial class RespClient
{
    private static readonly RespCommand Ping = RespCommand.Create("PING");
    private static readonly TimeSpan DrainStep = TimeSpan.FromMilliseconds(5);

    // Completed when the server of the current connection turns out to be a replica. Replaced with each connection.
    private TaskCompletionSource _demoted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Lets commands that wait finish, for as long as one may take, and then closes.</summary>
    internal async Task RetireAsync()
    {
        if (Interlocked.Exchange(ref _connection, null) is { } connection)
            await DrainAsync(connection);
        await DisposeAsync();
    }

    private async Task RunAsync()
    {
        var backOff = new BackOff(_options.MinBackOff, _options.MaxBackOff);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var endpoint = await _source.ResolveAsync(_stop.Token);
                var connection = await ConnectToAsync(endpoint);
                var since = _time.GetTimestamp();
                Publish(connection);
                var reason = await WatchAsync(connection);
                // A server that accepts and drops connections in turn is no better than one that refuses them.
                if (_time.GetElapsedTime(since) > _options.MaxBackOff)
                    backOff.Reset();
                Publish(reason, connection.Endpoint, 0);
            }
            catch (RespFailureException e)
            {
                Publish(e, e.Endpoint, backOff.Attempts + 1);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever it is, commands fail until there is a connection, so the loop must not end.
                var failure = new RespFailure(RespStage.Connect, RespCause.ConnectionLost);
                Publish(new RespFailureException(failure, null, e.Message, e), null, backOff.Attempts + 1);
            }
            await Task.Delay(backOff.Next(), _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // A server that was replaced because it hangs takes the whole timeout to not answer: by then there may be another one.
    private async Task<RespConnection> ConnectToAsync(RespEndpoint endpoint)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var connecting = _connector.ConnectAsync(endpoint, RespLogin.ToServer(_options), stop.Token);
        await Task.WhenAny(connecting, _source.WatchAsync(endpoint, stop.Token));
        await stop.CancelAsync();
        try
        {
            return await connecting;
        }
        catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
        {
            throw new RespFailureException(new RespFailure(RespStage.Connect, RespCause.PrimaryMoved), endpoint);
        }
    }

    // Until the connection ends, or should no longer be used.
    private async Task<RespFailureException> WatchAsync(RespConnection connection)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var moved = _source.WatchAsync(connection.Endpoint, stop.Token);
        var over = Task.WhenAny(connection.Closed, _demoted.Task, moved);
        try
        {
            while (!over.IsCompleted && !_stop.IsCancellationRequested)
            {
                await ((Task)over).WaitAsync(_options.KeepAlive, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                // The reply does not matter: when there is none, the connection notices that it has stalled.
                if (!over.IsCompleted && !_stop.IsCancellationRequested)
                    (await connection.SendAsync(Ping, _options.StallTimeout)).Dispose();
            }
        }
        finally
        {
            await stop.CancelAsync();
        }
        if (connection.Closed.IsCompleted)
            return await connection.Closed;
        if (_stop.IsCancellationRequested)
        {
            await connection.DisposeAsync();
            return await connection.Closed;
        }
        Volatile.Write(ref _connection, null);
        _ = DrainAsync(connection);
        return new RespFailureException(
            new RespFailure(RespStage.Session, _demoted.Task.IsCompleted ? RespCause.Demoted : RespCause.PrimaryMoved), connection.Endpoint);
    }

    private async Task DrainAsync(RespConnection connection)
    {
        var since = _time.GetTimestamp();
        while (connection.Pending > 0 && _time.GetElapsedTime(since) < _options.CommandTimeout)
            await Task.Delay(DrainStep, _time);
        await connection.DisposeAsync();
    }

    private void OnError(RespErrorKind kind)
    {
        if (kind == RespErrorKind.ReadOnly && !_options.AllowReplica)
            _demoted.TrySetResult();
    }

    private void Publish(RespConnection connection)
    {
        _demoted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _connection, connection);
        Publish(new RespClientState { IsConnected = true, Endpoint = connection.Endpoint, Server = connection.Server });
        _firstOutcome.TrySetResult(null);
        lock (_gate)
            _connected.TrySetResult();
    }

    private void Publish(RespFailureException reason, RespEndpoint? endpoint, int failedAttempts)
    {
        Volatile.Write(ref _connection, null);
        lock (_gate)
        {
            if (_connected.Task.IsCompleted)
                _connected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        Publish(new RespClientState { Endpoint = endpoint, Reason = reason, FailedAttempts = failedAttempts });
        _firstOutcome.TrySetResult(reason);
    }

    private void Publish(RespClientState state)
    {
        Volatile.Write(ref _state, state);
        try
        {
            StateChanged?.Invoke(this, new RespStateChangedEventArgs(state));
        }
        catch (Exception)
        {
            // Whoever listens must not end the loop that keeps the connection for all.
        }
    }
}
