using System.Text;

namespace Weir.Resp;

/// <summary>
/// Walks through a reply without copying: first the reply itself, then, for an aggregate, its values one after the other, each aggregate
/// before its own values. Attributes are skipped. A reader is a cursor on the stack; the bytes that it shows belong to the reply.
/// </summary>
/// <example><code>
/// reader.Read();                                  // the array itself
/// for (var i = reader.Count; i > 0; i--)
/// {
///     reader.Read();
///     Console.WriteLine(reader.GetString());
/// }
/// </code></example>
public ref struct RespReader
{
    private readonly ReadOnlySpan<byte> _reply;
    private int _next;

    /// <summary>Makes a reader that stands before the first value.</summary>
    /// <param name="reply">One or more whole replies. Bytes that are not RESP are found out when they are read.</param>
    public RespReader(ReadOnlySpan<byte> reply) => _reply = reply;

    /// <summary>The kind of the current value; <see cref="RespType.None"/> before the first.</summary>
    public RespType Type { get; private set; }

    /// <summary>The bytes of the current value without length and line breaks; empty for aggregates and nulls.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>
    /// How many values the current aggregate has, where each key of a map is one and its value another; 0 for other values.
    /// </summary>
    public int Count { get; private set; }

    /// <summary>Whether the current value is null.</summary>
    public readonly bool IsNull => Type == RespType.Null;

    /// <summary>Whether the current value is an error.</summary>
    public readonly bool IsError => Type is RespType.Error or RespType.BulkError;

    /// <summary>Goes to the next value.</summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="RespProtocolException">The bytes are not RESP, or end too early.</exception>
    public bool Read()
    {
        if (_next >= _reply.Length)
            return false;
        ReadOne();
        while (Type == RespType.Attribute)
        {
            SkipValues(Count);
            ReadOne();
        }
        return true;
    }

    /// <summary>Goes past the values of the current aggregate, with everything in them. Other values are left as they are.</summary>
    /// <exception cref="RespProtocolException">The bytes are not RESP, or end too early.</exception>
    public void Skip()
    {
        SkipValues(Count);
        Count = 0;
    }

    /// <summary>The current value as a whole number. Texts that are one count as such.</summary>
    /// <exception cref="RespServerException">The value is an error.</exception>
    /// <exception cref="InvalidOperationException">The value is something else.</exception>
    public readonly long GetInt64()
    {
        ThrowIfError();
        if (Type is RespType.Integer or RespType.BulkString or RespType.SimpleString && RespNumbers.TryParseInt64(Bytes, out var value))
            return value;
        throw Unexpected("a whole number");
    }

    /// <summary>The current value as a floating-point number. Whole numbers, and texts that are numbers, count as such.</summary>
    /// <exception cref="RespServerException">The value is an error.</exception>
    /// <exception cref="InvalidOperationException">The value is something else.</exception>
    public readonly double GetDouble()
    {
        ThrowIfError();
        if (Type is RespType.Double or RespType.Integer or RespType.BulkString or RespType.SimpleString
            && RespNumbers.TryParseDouble(Bytes, out var value))
            return value;
        throw Unexpected("a number");
    }

    /// <summary>The current value as true or false; 1 and 0, as RESP2 says it, count as such.</summary>
    /// <exception cref="RespServerException">The value is an error.</exception>
    /// <exception cref="InvalidOperationException">The value is something else.</exception>
    public readonly bool GetBoolean()
    {
        ThrowIfError();
        return Type switch
        {
            RespType.Boolean => Bytes[0] == 't',
            RespType.Integer when Bytes is [(byte)'0' or (byte)'1'] => Bytes[0] == '1',
            _ => throw Unexpected("true or false"),
        };
    }

    /// <summary>The current value as text, read as UTF-8. Null for nulls; a verbatim string without its format.</summary>
    /// <exception cref="RespServerException">The value is an error.</exception>
    /// <exception cref="InvalidOperationException">The value is an aggregate.</exception>
    public readonly string? GetString()
    {
        ThrowIfError();
        if (RespTypes.IsAggregate(Type) || Type == RespType.None)
            throw Unexpected("a text");
        return IsNull ? null : Encoding.UTF8.GetString(Type == RespType.VerbatimString ? Bytes[4..] : Bytes);
    }

    /// <summary>Throws when the current value is an error.</summary>
    /// <exception cref="RespServerException">It is.</exception>
    public readonly void ThrowIfError()
    {
        if (IsError)
            throw new RespServerException(RespErrors.KindOf(Bytes), Encoding.UTF8.GetString(Bytes));
    }

    private readonly InvalidOperationException Unexpected(string wanted) => new(Type == RespType.None
        ? $"There is no value yet where {wanted} is wanted; call Read first."
        : $"A value of type {Type} was read where {wanted} is wanted.");

    private void SkipValues(int due)
    {
        while (due > 0)
        {
            ReadOne();
            // An attribute is no value: its own, and the value that it speaks of, are still due.
            due += Count - (Type == RespType.Attribute ? 0 : 1);
        }
    }

    private void ReadOne()
    {
        var line = TakeLine();
        Type = (RespType)line[0];
        Bytes = line[1..];
        Count = 0;
        if (RespTypes.HasPayload(Type) || RespTypes.IsAggregate(Type))
            ReadLength();
        else if (!RespTypes.IsKnown(line[0]))
            throw new RespProtocolException($"A value starts with the byte 0x{line[0]:x2}, which RESP does not know.");
    }

    private void ReadLength()
    {
        if (Type is RespType.BulkString or RespType.Array && Bytes.SequenceEqual("-1"u8))
        {
            Type = RespType.Null;
            Bytes = default;
            return;
        }
        if (!RespNumbers.TryParseLength(Bytes, out var length) || length > _reply.Length - _next)
            throw new RespProtocolException($"A value of type '{(char)Type}' is shorter than it says.");
        Bytes = default;
        if (RespTypes.IsAggregate(Type))
            Count = (int)length * RespTypes.ValuesPerElement(Type);
        else
            Bytes = TakePayload((int)length);
    }

    private ReadOnlySpan<byte> TakeLine()
    {
        var rest = _reply[_next..];
        var end = rest.IndexOf((byte)'\r');
        if (end < 1 || end + 1 >= rest.Length)
            throw new RespProtocolException("A reply ends too early.");
        _next += end + 2;
        return rest[..end];
    }

    private ReadOnlySpan<byte> TakePayload(int length)
    {
        if (length > _reply.Length - _next - 2)
            throw new RespProtocolException("A reply ends too early.");
        var payload = _reply.Slice(_next, length);
        _next += length + 2;
        return payload;
    }
}
