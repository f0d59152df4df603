using Weir.Resp;

namespace Weir.Redis;

/// <summary>Redis did not do what a node asked of it on behalf of all nodes. The message says why, for people, with Redis' address and no password.</summary>
public sealed class SharedStateException : Exception
{
    /// <summary>Makes the exception of a command that got no reply.</summary>
    internal SharedStateException(string address, RespFailure failure)
        : base($"Redis at {address}: {failure.Message}")
    {
        MayHaveHappened = failure.Execution == RespExecution.MayHaveExecuted;
    }

    /// <summary>Makes the exception of a command that was answered with an error.</summary>
    internal SharedStateException(string address, RespErrorKind kind, string said)
        : base($"Redis at {address}: {MessageOf(kind)} It said: {said}")
    {
        ErrorKind = kind;
        IsMistake = kind is RespErrorKind.NoPermission or RespErrorKind.PasswordNeeded or RespErrorKind.WrongType or RespErrorKind.Other;
    }

    /// <summary>Makes the exception for another reason.</summary>
    internal SharedStateException(string message, bool isMistake = false)
        : base(message)
    {
        IsMistake = isMistake;
    }

    /// <summary>False when what was asked did not happen and never will; true when nobody knows.</summary>
    public bool MayHaveHappened { get; }

    /// <summary>Whether trying again does not help, until somebody has changed something.</summary>
    public bool IsMistake { get; }

    /// <summary>What the server answered; <see cref="RespErrorKind.None"/> when it did not.</summary>
    public RespErrorKind ErrorKind { get; }

    private static string MessageOf(RespErrorKind kind) => kind switch
    {
        RespErrorKind.NoPermission => "The user may not do what nodes need. Allow it every key with the prefix, all commands but dangerous ones, and INFO.",
        RespErrorKind.PasswordNeeded => "The server wants a password now. Write it in the URL as redis://:password@host.",
        RespErrorKind.OutOfMemory => "The server's memory is full. Raise its maxmemory.",
        RespErrorKind.Misconfigured => "The server cannot save its data and refuses writes. Look at its log and disk.",
        RespErrorKind.ReadOnly => "The server is a replica. It is left for its primary.",
        RespErrorKind.Busy => "A script of somebody else keeps the server busy. It is tried again.",
        RespErrorKind.WrongType => "Another program uses keys with the same prefix. Choose another prefix.",
        RespErrorKind.Loading or RespErrorKind.ClusterDown or RespErrorKind.PrimaryDown or RespErrorKind.NoReplicas or RespErrorKind.TryAgain =>
            "The server is not ready. It is tried again.",
        _ => "The server refused a command.",
    };
}
