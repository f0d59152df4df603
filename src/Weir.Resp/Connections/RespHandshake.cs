using System.Text;

namespace Weir.Resp;

/// <summary>
/// The first commands of a connection, all sent at once: protocol, password, name, database, and questions about the server. Where a
/// server has no <c>HELLO</c>, they are sent again in the older way.
/// </summary>
internal sealed class RespHandshake(RespConnection connection, RespOptions options, RespLogin login)
{
    private const string DefaultUser = "default";

    private static readonly RespCommand Ping = RespCommand.Create("PING");
    private static readonly RespCommand InfoServer = RespCommand.Create("INFO", "server");
    private static readonly RespCommand InfoReplication = RespCommand.Create("INFO", "replication");

    /// <summary>Runs it.</summary>
    /// <exception cref="RespFailureException">The server did not answer, refused, or is not what it should be.</exception>
    /// <exception cref="OperationCanceledException">The deadline of connecting passed.</exception>
    public async Task<RespServerInfo> RunAsync(CancellationToken cancellationToken)
    {
        var server = options.Protocol == 3 ? await OpenAsync(3, Hello(), cancellationToken) : null;
        server ??= await OpenAsync(2, Auth(), cancellationToken);
        Check(server!);
        return server!;
    }

    // Null when there is no HELLO.
    private async Task<RespServerInfo?> OpenAsync(int protocol, RespCommand? first, CancellationToken cancellationToken)
    {
        RespCommand?[] commands = [first, SetName(protocol), Select(), InfoServer, InfoReplication, Ping];
        var tasks = commands.Select(c => SendAsync(c, cancellationToken)).ToArray();
        // The first reply alone may tell; a server that refuses need not answer the rest.
        var hello = await tasks[0];
        var isUnknown = protocol == 3 && IsUnknown(hello);
        if (!isUnknown)
            ThrowIfRefused(hello, RespCause.HandshakeRefused);
        var replies = await Task.WhenAll(tasks);
        try
        {
            var (select, ping) = (replies[2], replies[5]);
            // Without HELLO and password, protected mode speaks first where something else is asked.
            foreach (var reply in replies)
            {
                if (reply.ErrorKind == RespErrorKind.Denied)
                    ThrowIfRefused(reply, RespCause.Denied);
            }
            ThrowIfLost(ping);
            if (isUnknown)
                return null;
            if (ping.ErrorKind is RespErrorKind.PasswordNeeded or RespErrorKind.Loading)
                ThrowIfRefused(ping, RespCause.HandshakeRefused);
            ThrowIfRefused(select, RespCause.WrongDatabase);
            return RespServerInfoReader.Read(protocol, hello, replies[3], replies[4]);
        }
        finally
        {
            foreach (var reply in replies)
                reply.Dispose();
        }
    }

    private async Task<RespReply> SendAsync(RespCommand? command, CancellationToken cancellationToken) =>
        command is null ? default : await connection.SendAsync(command, options.ConnectTimeout, cancellationToken);

    private RespCommand Hello()
    {
        var arguments = new List<string> { "HELLO", "3" };
        if (login.Password is not null)
            arguments.AddRange(["AUTH", login.User ?? DefaultUser, login.Password]);
        if (options.ClientName is not null)
            arguments.AddRange(["SETNAME", options.ClientName]);
        return RespCommand.Create([.. arguments]);
    }

    private RespCommand? Auth() => (login.User, login.Password) switch
    {
        (_, null) => null,
        (null, _) => RespCommand.Create("AUTH", login.Password),
        _ => RespCommand.Create("AUTH", login.User, login.Password),
    };

    private RespCommand? SetName(int protocol) =>
        protocol == 3 || options.ClientName is null ? null : RespCommand.Create("CLIENT", "SETNAME", options.ClientName);

    private RespCommand? Select() => login.Database == 0 ? null : RespCommand.Create("SELECT", $"{login.Database}");

    // ERR stands for much; one thing that it can say of a client before any command is looked at is that there are too many.
    private static bool IsUnknown(RespReply hello) => hello.ErrorKind == RespErrorKind.NoProtocol
        || (hello.ErrorKind == RespErrorKind.Other && !hello.ErrorMessage.Contains("max number of clients", StringComparison.Ordinal));

    private void ThrowIfLost(RespReply last)
    {
        if (last.HasReply)
            return;
        if (last.Failure.Cause != RespCause.ProtocolViolation)
            throw Failed(last.Failure.Cause == RespCause.Stalled ? RespCause.TimedOut : last.Failure.Cause, null);
        var said = $"it said '{Encoding.Latin1.GetString(connection.Excerpt).Trim()}'";
        throw connection.Excerpt switch
        {
            // An alert or handshake of TLS, version 3.x.
            [0x15 or 0x16, 3, ..] => Failed(RespCause.ServerIsTls, null),
            // An error before the first command: protected mode, or too many clients.
            [(byte)'-', .. var error] when RespErrors.KindOf(error) == RespErrorKind.Denied => Failed(RespCause.Denied, said),
            [(byte)'-', ..] => Failed(RespCause.HandshakeRefused, said),
            _ => Failed(RespCause.NotRedis, said),
        };
    }

    private void ThrowIfRefused(RespReply reply, RespCause otherwise)
    {
        if (!reply.IsError)
            return;
        throw Failed(
            reply.ErrorKind switch
            {
                RespErrorKind.WrongPassword => RespCause.WrongPassword,
                RespErrorKind.PasswordNeeded => RespCause.PasswordNeeded,
                RespErrorKind.NoPermission or RespErrorKind.Denied => RespCause.Denied,
                RespErrorKind.Loading => RespCause.Loading,
                _ => otherwise,
            },
            reply.ErrorMessage);
    }

    private void Check(RespServerInfo server)
    {
        if (server.RedisVersion is { } version && version < options.MinimumVersion)
            throw Failed(RespCause.TooOld, $"it is {server}, and at least Redis {options.MinimumVersion} is needed");
        if (server.Mode != login.Mode)
            throw Failed(WrongMode(server.Mode), null);
        if (server.Role == RespRole.Replica && !login.AllowReplica)
            throw Failed(RespCause.NotPrimary, null);
    }

    private RespCause WrongMode(RespServerMode actual) => (actual, login.Mode) switch
    {
        (RespServerMode.Sentinel, _) => RespCause.IsSentinel,
        (_, RespServerMode.Sentinel) => RespCause.NotSentinel,
        (RespServerMode.Cluster, _) => RespCause.IsCluster,
        _ => RespCause.NotCluster,
    };

    private RespFailureException Failed(RespCause cause, string? detail) =>
        new(new RespFailure(RespStage.Handshake, cause), connection.Endpoint, detail);
}
