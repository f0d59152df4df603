namespace Weir.Resp;

/// <summary>How far things had come when they failed.</summary>
public enum RespStage
{
    /// <summary>Looking up a name, or asking Sentinels for the primary.</summary>
    Resolve,

    /// <summary>Opening the TCP connection.</summary>
    Connect,

    /// <summary>Agreeing on encryption.</summary>
    Tls,

    /// <summary>The first commands: protocol, password, database, and who the server is.</summary>
    Handshake,

    /// <summary>A connection that had been in use.</summary>
    Session,

    /// <summary>One command.</summary>
    Command,
}
