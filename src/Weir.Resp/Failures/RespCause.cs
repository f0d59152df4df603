namespace Weir.Resp;

/// <summary>Why something failed. Each has its message in <see cref="RespFailure.Message"/>.</summary>
public enum RespCause
{
    /// <summary>Nothing failed.</summary>
    None,

    /// <summary>No address is known for the host name.</summary>
    NameNotFound,

    /// <summary>Nothing listens at the port.</summary>
    Refused,

    /// <summary>The network has no way to the host.</summary>
    Unreachable,

    /// <summary>There was no answer in time.</summary>
    TimedOut,

    /// <summary>TLS is asked for, and the server speaks plain RESP.</summary>
    ServerIsPlain,

    /// <summary>Plain RESP is asked for, and the server speaks TLS.</summary>
    ServerIsTls,

    /// <summary>The server's certificate comes from an authority that is not trusted, or is out of date.</summary>
    CertificateUntrusted,

    /// <summary>The server's certificate is for another host name.</summary>
    CertificateNameMismatch,

    /// <summary>The file with trusted authorities cannot be read.</summary>
    CaFileUnreadable,

    /// <summary>TLS failed for another reason, such as a client certificate that the server asks for.</summary>
    TlsFailed,

    /// <summary>User or password is wrong, or the user is disabled.</summary>
    WrongPassword,

    /// <summary>The server wants a password and none is configured.</summary>
    PasswordNeeded,

    /// <summary>The server is in protected mode, or the user may not connect.</summary>
    Denied,

    /// <summary>What answers is not a Redis or Valkey server.</summary>
    NotRedis,

    /// <summary>The server is older than <see cref="RespOptions.MinimumVersion"/>.</summary>
    TooOld,

    /// <summary>The server is reading its data and not ready yet.</summary>
    Loading,

    /// <summary>The server is a replica.</summary>
    NotPrimary,

    /// <summary>The server is a node of a Cluster, and the URL is for one server.</summary>
    IsCluster,

    /// <summary>The server is not a node of a Cluster, and the URL is for a Cluster.</summary>
    NotCluster,

    /// <summary>The server is a Sentinel, and the URL is for servers with data.</summary>
    IsSentinel,

    /// <summary>The server is not a Sentinel, and the URL is for Sentinels.</summary>
    NotSentinel,

    /// <summary>No Sentinel knows a primary of that name.</summary>
    PrimaryUnknown,

    /// <summary>The server refused to select the database.</summary>
    WrongDatabase,

    /// <summary>The server refused the connection in another way, such as for having too many clients.</summary>
    HandshakeRefused,

    /// <summary>The server closed the connection.</summary>
    ClosedByServer,

    /// <summary>The connection broke.</summary>
    ConnectionLost,

    /// <summary>The server sent nothing for <see cref="RespOptions.StallTimeout"/> while commands waited.</summary>
    Stalled,

    /// <summary>The server sent something that is not RESP, or larger than the limits.</summary>
    ProtocolViolation,

    /// <summary>The server became a replica while in use.</summary>
    Demoted,

    /// <summary>Sentinels name another primary now.</summary>
    PrimaryMoved,

    /// <summary>This side closed the connection.</summary>
    Disposed,

    /// <summary>There is no connection at the moment; the client is trying to make one.</summary>
    NotConnected,

    /// <summary>Too many commands, or bytes of them, are waiting.</summary>
    QueueFull,

    /// <summary>No node of the Cluster is known to have the slot.</summary>
    SlotUnassigned,

    /// <summary>The nodes of the Cluster sent the command from one to the other too often.</summary>
    TooManyRedirections,

    /// <summary>None of the nodes told what the Cluster looks like.</summary>
    TopologyUnknown,
}
