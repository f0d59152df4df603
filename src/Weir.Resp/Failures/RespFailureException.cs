namespace Weir.Resp;

/// <summary>A connection could not be made, or the reply of a command that got none was read.</summary>
public sealed class RespFailureException : Exception
{
    /// <summary>Makes the exception without a message of its own.</summary>
    public RespFailureException()
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">What went wrong.</param>
    public RespFailureException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">What went wrong.</param>
    /// <param name="innerException">What was noticed first.</param>
    public RespFailureException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Makes the exception for a command without a reply.</summary>
    /// <param name="failure">What went wrong.</param>
    public RespFailureException(RespFailure failure)
        : base(failure.Message) => Failure = failure;

    /// <summary>The same failure, to be thrown where somebody waits for it.</summary>
    internal RespFailureException(RespFailureException again)
        : base(again.Message, again)
    {
        Failure = again.Failure;
        Endpoint = again.Endpoint;
    }

    internal RespFailureException(RespFailure failure, RespEndpoint? endpoint, string? detail = null, Exception? innerException = null)
        : base(RespMessages.Full(failure, endpoint, detail), innerException)
    {
        Failure = failure;
        Endpoint = endpoint;
    }

    /// <summary>What went wrong.</summary>
    public RespFailure Failure { get; }

    /// <summary>The server it concerns, where there is one.</summary>
    public RespEndpoint? Endpoint { get; }
}
