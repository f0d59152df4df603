namespace Weir.Resp;

/// <summary>The one place where causes become sentences: what it means, then what to do.</summary>
internal static class RespMessages
{
    /// <summary>The message with the server's address before it and what the server said behind it.</summary>
    public static string Full(RespFailure failure, RespEndpoint? endpoint, string? detail)
    {
        var text = Of(failure.Stage, failure.Cause);
        if (endpoint is { } where)
            text = $"{where}: {text}";
        return detail is null ? text : $"{text} ({Printable(detail)})";
    }

    public static string Of(RespStage stage, RespCause cause) => cause switch
    {
        RespCause.None => "Nothing failed.",
        RespCause.NameNotFound => "The host name has no address. Check its spelling and the DNS server.",
        RespCause.Refused => "Nothing listens there. Start the server, or check host and port.",
        RespCause.Unreachable => "The network has no way there. Check the address, routes and firewalls.",
        RespCause.TimedOut => OfTimeout(stage),
        RespCause.ServerIsPlain => "The server speaks without TLS. Write redis:// instead of rediss://, or use its TLS port.",
        RespCause.ServerIsTls => "The server speaks TLS. Write rediss:// instead of redis://, or use its plain port.",
        RespCause.CertificateUntrusted => "The server's certificate is not trusted. Name its authority with ?tls_ca_file=, or renew the certificate.",
        RespCause.CertificateNameMismatch => "The server's certificate is for another host. Use the name that it is for, or add this host to it.",
        RespCause.CaFileUnreadable => "The file of trusted authorities cannot be read. Check the path, its permissions, and that it is PEM.",
        RespCause.TlsFailed => "TLS failed. Check which versions the server accepts and whether it asks for client certificates, which are not sent.",
        RespCause.WrongPassword => "User or password is wrong, or the user is disabled. Check the part of the URL before '@', or sentinel_password if it is a Sentinel.",
        RespCause.PasswordNeeded => "The server wants a password. Write it in the URL as redis://:password@host or redis://user:password@host, for a Sentinel as ?sentinel_password=password.",
        RespCause.Denied => "The server denies this client: it is in protected mode, or the user may not do this. Set a password or the user's rights there.",
        RespCause.NotRedis => "What answers there is not Redis or Valkey. Check host and port.",
        RespCause.TooOld => "The server is too old. Update it.",
        RespCause.Loading => "The server is still loading its data. It is tried again.",
        RespCause.NotPrimary => "The server is a replica. Name its primary, or let Sentinels find it with redis-sentinel://.",
        RespCause.IsCluster => "The server belongs to a Cluster. Write redis+cluster:// instead of redis://.",
        RespCause.NotCluster => "The server does not belong to a Cluster. Write redis:// instead of redis+cluster://.",
        RespCause.IsSentinel => "The server is a Sentinel. Write redis-sentinel://host/name, or name the server with the data.",
        RespCause.NotSentinel => "The server is not a Sentinel. Write redis:// for one server, or use the Sentinel's port, usually 26379.",
        RespCause.PrimaryUnknown => "No Sentinel knows a primary of that name. Check the name after the hosts.",
        RespCause.WrongDatabase => "The server refuses the database. Check the number after the host and the server's 'databases' setting.",
        RespCause.HandshakeRefused => "The server refuses the connection.",
        RespCause.ClosedByServer when stage == RespStage.Handshake =>
            "The server closed the connection without answering. Check that it is Redis or Valkey and allows this client.",
        RespCause.ClosedByServer => "The server closed the connection.",
        RespCause.ConnectionLost => "The connection broke.",
        RespCause.Stalled => "The server sent nothing for too long while commands waited.",
        RespCause.ProtocolViolation => "The server sent something that is not RESP, or larger than the limits.",
        RespCause.Demoted => "The server became a replica.",
        RespCause.PrimaryMoved => "The Sentinels name another primary.",
        RespCause.Disposed => "The client was closed.",
        RespCause.NotConnected => "There is no connection at the moment.",
        RespCause.QueueFull => "Too many commands are waiting for the server.",
        RespCause.SlotUnassigned => "No node of the Cluster is known to have the slot.",
        RespCause.TooManyRedirections => "The nodes of the Cluster sent the command from one to the other too often.",
        RespCause.TopologyUnknown => "No node told what the Cluster looks like.",
        _ => cause.ToString(),
    };

    private static string OfTimeout(RespStage stage) => stage switch
    {
        RespStage.Resolve => "The host name was not looked up in time. Check the DNS server.",
        RespStage.Connect => "The host did not answer in time. Check the address and firewalls.",
        RespStage.Tls => "The server did not answer in TLS in time. If it speaks without TLS, write redis:// instead of rediss://.",
        RespStage.Handshake => "The server accepted the connection and then did not answer in time. It may be busy, paused, or not Redis.",
        _ => "The server did not answer in time.",
    };

    // What a stranger sent must not steer a terminal or forge a log entry.
    private static string Printable(string detail) =>
        string.Create(Math.Min(detail.Length, 200), detail, static (span, from) =>
        {
            for (var i = 0; i < span.Length; i++)
                span[i] = char.IsControl(from[i]) ? ' ' : from[i];
        });
}
