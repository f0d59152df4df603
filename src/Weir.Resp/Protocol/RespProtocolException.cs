namespace Weir.Resp;

/// <summary>
/// A server sent something that is not RESP, or larger than the limits. Where the next reply starts is then unknown, so the connection
/// ends.
/// </summary>
public sealed class RespProtocolException : Exception
{
    /// <summary>Makes the exception without a message of its own.</summary>
    public RespProtocolException()
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">What was wrong, where it can be said.</param>
    public RespProtocolException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">What was wrong, where it can be said.</param>
    /// <param name="innerException">What was noticed first.</param>
    public RespProtocolException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
