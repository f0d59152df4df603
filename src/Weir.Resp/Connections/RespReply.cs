namespace Weir.Resp;

/// <summary>
/// What became of a command: the server's reply, an error reply included, or the reason why there is none. Neither is thrown: reading the
/// reply as a value is what throws.
/// </summary>
/// <remarks>
/// A reply borrows memory. Dispose of it once, when its bytes and readers are no longer needed; copies of this struct are the same reply.
/// A reply that is never disposed is collected like other garbage.
/// </remarks>
public readonly struct RespReply : IDisposable
{
    private readonly ReplyBuffer? _buffer;
    private readonly int _version;
    private readonly RespFailure _failure;

    internal RespReply(ReplyBuffer buffer, int version)
    {
        _buffer = buffer;
        _version = version;
    }

    /// <summary>Makes what a command without a reply gives, for example in tests of code that sends commands.</summary>
    /// <param name="failure">Why there is no reply.</param>
    public RespReply(RespFailure failure) => _failure = failure;

    /// <summary>Whether the server replied, with a value or an error.</summary>
    public bool HasReply => _buffer is not null;

    /// <summary>Why there is no reply; its cause is <see cref="RespCause.None"/> when there is one.</summary>
    public RespFailure Failure => _failure;

    /// <summary>Whether the server replied with a value, and not an error.</summary>
    public bool IsValue => HasReply && !IsError;

    /// <summary>Whether the server replied with an error.</summary>
    public bool IsError => HasReply && (RespType)Bytes[0] switch
    {
        RespType.Error or RespType.BulkError => true,
        RespType.Attribute => Root().IsError,
        _ => false,
    };

    /// <summary>What the error reply means; <see cref="RespErrorKind.None"/> when the reply is none.</summary>
    public RespErrorKind ErrorKind => IsError ? RespErrors.KindOf(Root().Bytes) : RespErrorKind.None;

    /// <summary>The reply as it was on the wire; empty when there is none.</summary>
    /// <exception cref="ObjectDisposedException">The reply was disposed of.</exception>
    public ReadOnlySpan<byte> Bytes => _buffer is null ? default : _buffer.Bytes(_version);

    /// <summary>A reader that stands at the reply itself, its first value already read.</summary>
    /// <exception cref="RespFailureException">There is no reply.</exception>
    /// <exception cref="ObjectDisposedException">The reply was disposed of.</exception>
    public RespReader Root()
    {
        if (!HasReply)
            throw new RespFailureException(_failure);
        var reader = new RespReader(Bytes);
        reader.Read();
        return reader;
    }

    /// <summary>The reply as a whole number.</summary>
    /// <exception cref="RespFailureException">There is no reply.</exception>
    /// <exception cref="RespServerException">The reply is an error.</exception>
    /// <exception cref="InvalidOperationException">The reply is something else.</exception>
    public long GetInt64() => Root().GetInt64();

    /// <summary>The reply as text; null when it is null.</summary>
    /// <exception cref="RespFailureException">There is no reply.</exception>
    /// <exception cref="RespServerException">The reply is an error.</exception>
    /// <exception cref="InvalidOperationException">The reply is an aggregate.</exception>
    public string? GetString() => Root().GetString();

    /// <summary>
    /// What the server said when it replied with an error, and why there is no reply when there is none; empty for values.
    /// </summary>
    public string ErrorMessage => !HasReply ? _failure.Message : IsError ? System.Text.Encoding.UTF8.GetString(Root().Bytes) : "";

    /// <summary>Throws unless the reply is a value.</summary>
    /// <exception cref="RespFailureException">There is no reply.</exception>
    /// <exception cref="RespServerException">The reply is an error.</exception>
    public void ThrowIfNoValue() => Root().ThrowIfError();

    /// <summary>Gives the memory back. Further calls do nothing.</summary>
    public void Dispose() => _buffer?.Return(_version);
}
