namespace Weir.Resp;

/// <summary>What a connection tells its owner besides replies. Called on the receiving thread.</summary>
internal sealed class RespConnectionEvents
{
    /// <summary>Takes messages that answer no command.</summary>
    public RespPushHandler? OnPush { get; init; }

    /// <summary>Told of every error reply, before its caller is.</summary>
    public Action<RespErrorKind>? OnError { get; init; }
}
