namespace Weir.Resp;

/// <summary>An error reply was read as if it were a value.</summary>
public sealed class RespServerException : Exception
{
    /// <summary>Makes the exception without a message of its own.</summary>
    public RespServerException()
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">What the server said.</param>
    public RespServerException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">What the server said.</param>
    /// <param name="innerException">What was noticed first.</param>
    public RespServerException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Makes the exception.</summary>
    /// <param name="kind">What the error means.</param>
    /// <param name="message">What the server said.</param>
    public RespServerException(RespErrorKind kind, string message)
        : base(message) => Kind = kind;

    /// <summary>What the error means.</summary>
    public RespErrorKind Kind { get; } = RespErrorKind.Other;
}
