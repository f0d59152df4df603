namespace Weir.Resp;

/// <summary>Whether a client has its connection, to whom, and if not, why not. Immutable.</summary>
public sealed record RespClientState
{
    /// <summary>Whether commands can be sent.</summary>
    public bool IsConnected { get; init; }

    /// <summary>The server that is connected, or was tried last; null before the first attempt.</summary>
    public RespEndpoint? Endpoint { get; init; }

    /// <summary>What the connected server said about itself; null without a connection.</summary>
    public RespServerInfo? Server { get; init; }

    /// <summary>Why there is no connection; null with one, and before the first attempt has failed.</summary>
    public RespFailureException? Reason { get; init; }

    /// <summary>Attempts that failed since the last connection.</summary>
    public int FailedAttempts { get; init; }
}

/// <summary>A client got or lost its connection, or failed again to make one.</summary>
public sealed class RespStateChangedEventArgs(RespClientState state) : EventArgs
{
    /// <summary>How things are now.</summary>
    public RespClientState State { get; } = state;
}
