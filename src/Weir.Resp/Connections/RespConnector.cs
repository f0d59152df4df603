using System.Net.Sockets;

namespace Weir.Resp;

/// <summary>Makes connections: name lookup and TCP, TLS, handshake, each under the same deadline. Thread safe.</summary>
internal sealed class RespConnector(RespOptions options, TimeProvider time, RespConnectionEvents events)
{
    private readonly RespTls? _tls = options.Tls is { } tls ? new RespTls(tls) : null;

    // Once a connection was made, whether servers expect TLS is not the question any more.
    private volatile bool _hasConnected;

    public TimeProvider Time => time;

    public async Task<RespConnection> ConnectAsync(RespEndpoint endpoint, RespLogin login, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(options.ConnectTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var attempt = new Attempt(endpoint);
        try
        {
            return await ConnectAsync(attempt, login, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw await DiagnoseAsync(new RespFailure(attempt.Stage, RespCause.TimedOut), attempt, null, cancellationToken);
        }
        catch (RespFailureException e)
        {
            throw await DiagnoseAsync(e.Failure, attempt, e, cancellationToken);
        }
    }

    private async Task<RespConnection> ConnectAsync(Attempt attempt, RespLogin login, CancellationToken cancellationToken)
    {
        var network = await RespSocket.ConnectAsync(attempt.Endpoint, stage => attempt.Stage = stage, cancellationToken);
        Stream stream = network;
        try
        {
            if (_tls is not null)
            {
                attempt.Stage = RespStage.Tls;
                stream = await _tls.AuthenticateAsync(stream, attempt.Endpoint, cancellationToken);
            }
            attempt.Stage = RespStage.Handshake;
            var connection = new RespConnection(stream, network.Socket, attempt.Endpoint, options, time, events);
            attempt.Connection = connection;
            connection.Start();
            connection.Server = await new RespHandshake(connection, options, login).RunAsync(cancellationToken);
            _hasConnected = true;
            return connection;
        }
        catch
        {
            await stream.DisposeAsync();
            if (attempt.Connection is { } connection)
                await connection.DisposeAsync();
            throw;
        }
    }

    // A server that expects TLS, or does not, says so in no word that it and we have in common: it falls silent, or hangs up. Where that
    // is what happened, one try the other way tells. It can take as long as connecting may.
    private async Task<Exception> DiagnoseAsync(
        RespFailure failure, Attempt attempt, RespFailureException? exception, CancellationToken cancellationToken)
    {
        var cause = failure.Cause;
        if (_hasConnected)
            return exception ?? new RespFailureException(failure, attempt.Endpoint);
        if (failure.Stage == RespStage.Tls && cause is RespCause.TlsFailed or RespCause.TimedOut && await ProbeAsync(RespTls.IsPlainAsync))
            cause = RespCause.ServerIsPlain;
        else if (IsHungUp() && await ProbeAsync(RespTls.IsTlsAsync))
            cause = RespCause.ServerIsTls;
        else if (exception is not null)
            return exception;
        return new RespFailureException(failure with { Cause = cause }, attempt.Endpoint, null, exception?.InnerException);

        bool IsHungUp() => _tls is null && failure.Stage == RespStage.Handshake && attempt.Connection is { HasReceived: false }
            && cause is RespCause.ClosedByServer or RespCause.ConnectionLost;

        async Task<bool> ProbeAsync(Func<Stream, CancellationToken, Task<bool>> probe)
        {
            using var deadline = new CancellationTokenSource(options.ConnectTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
            try
            {
                await using var stream = await RespSocket.ConnectAsync(attempt.Endpoint, static _ => { }, either.Token);
                return await probe(stream, either.Token);
            }
            catch (Exception e) when (e is RespFailureException or IOException or SocketException or OperationCanceledException
                or System.Security.Authentication.AuthenticationException)
            {
                return false;
            }
        }
    }

    /// <summary>How far one attempt has come.</summary>
    private sealed class Attempt(RespEndpoint endpoint)
    {
        public RespEndpoint Endpoint => endpoint;

        public RespStage Stage { get; set; }

        public RespConnection? Connection { get; set; }
    }
}
