namespace Weir.Resp;

/// <summary>What an error reply means, told by its first word.</summary>
public enum RespErrorKind
{
    /// <summary>Not an error.</summary>
    None,

    /// <summary><c>ERR</c>, or a word that is not listed here.</summary>
    Other,

    /// <summary><c>MOVED</c>: another node of the Cluster has the slot. The command did not run.</summary>
    Moved,

    /// <summary><c>ASK</c>: another node has this key, for this once. The command did not run.</summary>
    Ask,

    /// <summary><c>TRYAGAIN</c>: the keys of the command are on their way between nodes. It did not run.</summary>
    TryAgain,

    /// <summary><c>CLUSTERDOWN</c>: part of the Cluster is away. The command did not run.</summary>
    ClusterDown,

    /// <summary><c>CROSSSLOT</c>: the keys of the command have different slots. It did not run.</summary>
    CrossSlot,

    /// <summary><c>LOADING</c>: the server is reading its data. The command did not run.</summary>
    Loading,

    /// <summary><c>READONLY</c>: a write went to a replica. The command did not run.</summary>
    ReadOnly,

    /// <summary><c>MASTERDOWN</c>: a replica without its primary. The command did not run.</summary>
    PrimaryDown,

    /// <summary><c>NOREPLICAS</c>: fewer replicas than writes need. The command did not run.</summary>
    NoReplicas,

    /// <summary><c>MISCONF</c>: snapshots fail, and writes are refused. The command did not run.</summary>
    Misconfigured,

    /// <summary><c>OOM</c>: the memory limit is reached. The command did not run, unless a script had begun.</summary>
    OutOfMemory,

    /// <summary><c>NOSCRIPT</c>: the script is not loaded. It did not run.</summary>
    NoScript,

    /// <summary><c>BUSY</c>: a script is running for too long. The command did not run.</summary>
    Busy,

    /// <summary><c>WRONGPASS</c>: user or password is wrong.</summary>
    WrongPassword,

    /// <summary><c>NOAUTH</c>: a password is needed.</summary>
    PasswordNeeded,

    /// <summary><c>NOPERM</c>: the user may not do this.</summary>
    NoPermission,

    /// <summary><c>WRONGTYPE</c>: the key holds something else.</summary>
    WrongType,

    /// <summary><c>NOPROTO</c>: the protocol version is not spoken.</summary>
    NoProtocol,

    /// <summary><c>DENIED</c>: the server is in protected mode.</summary>
    Denied,
}
