using System.Runtime.CompilerServices;

namespace Weir.Resp;

/// <summary>
/// Finds where a reply ends, in bytes that arrive piecemeal, and checks everything about it on the way, so that <see cref="RespReader"/>
/// can trust what it reads. No byte is looked at twice, however the reply is split.
/// </summary>
/// <remarks>
/// Levels that are open are counted down: an aggregate is finished when none of its values is due. An attribute is a level of its pairs and
/// one more, the value that it speaks of. Streamed strings and aggregates (<c>$?</c>, <c>*?</c>), which no server sends, are refused.
/// </remarks>
internal struct RespScanner(RespLimits limits)
{
    private Levels _due;
    private int _depth;

    // Offsets into the reply. A payload that is awaited ends at _payloadEnd, its line break included; 0 when a line is awaited.
    private int _lineStart;
    private int _searched;
    private int _payloadEnd;
    private int _formatColon;

    /// <summary>Continues where the last call stopped.</summary>
    /// <param name="reply">All bytes from the start of the reply that have arrived; never fewer than the last time.</param>
    /// <param name="length">The length of the reply when it is complete. The next call then starts a new one.</param>
    /// <exception cref="RespProtocolException">The bytes are not RESP or beyond the limits. The scanner cannot be used further.</exception>
    public bool TryScan(ReadOnlySpan<byte> reply, out int length)
    {
        length = 0;
        while (true)
        {
            bool finished;
            if (_payloadEnd > 0)
            {
                if (reply.Length < _payloadEnd)
                    return false;
                finished = EndPayload(reply);
            }
            else
            {
                if (!TryFindLine(reply, out var line))
                    return false;
                finished = EndLine(line);
            }
            if (_lineStart > limits.MaxReplyBytes || _payloadEnd > limits.MaxReplyBytes)
                throw new RespProtocolException($"A reply is longer than {limits.MaxReplyBytes} bytes.");
            if (!finished)
                continue;
            length = _lineStart;
            _lineStart = _searched = 0;
            return true;
        }
    }

    private bool TryFindLine(ReadOnlySpan<byte> reply, out ReadOnlySpan<byte> line)
    {
        line = default;
        // The first byte tells at once that something else than RESP is spoken; a line's end might never come.
        if (reply.Length > _lineStart && !RespTypes.IsKnown(reply[_lineStart]))
            throw new RespProtocolException($"A reply starts with the byte 0x{reply[_lineStart]:x2}, which RESP does not know.");
        var found = reply[_searched..].IndexOfAny((byte)'\r', (byte)'\n');
        var end = found < 0 ? reply.Length : _searched + found;
        if (end - _lineStart > limits.MaxLineBytes)
            throw new RespProtocolException($"A line of a reply is longer than {limits.MaxLineBytes} bytes.");
        _searched = end;
        if (found < 0 || (reply[end] == '\r' && end + 1 == reply.Length))
            return false;
        if (reply[end] != '\r' || reply[end + 1] != '\n')
            throw new RespProtocolException("A line of a reply does not end with CR LF.");
        line = reply[_lineStart..end];
        _lineStart = _searched = end + 2;
        return true;
    }

    private bool EndLine(ReadOnlySpan<byte> line)
    {
        var type = (RespType)line[0];
        var rest = line[1..];
        if (RespTypes.HasPayload(type))
            return StartPayload(type, rest);
        if (RespTypes.IsAggregate(type))
            return Open(type, rest);
        if (!RespNumbers.IsValid(type, rest))
            throw new RespProtocolException($"A reply has a malformed value of type '{(char)type}'.");
        return Close();
    }

    private bool StartPayload(RespType type, ReadOnlySpan<byte> digits)
    {
        if (type == RespType.BulkString && digits.SequenceEqual("-1"u8))
            return Close();
        var length = Length(type, digits);
        if (length > limits.MaxReplyBytes)
            throw new RespProtocolException($"A reply announces {length} bytes; the limit is {limits.MaxReplyBytes}.");
        if (type == RespType.VerbatimString && length < 4)
            throw new RespProtocolException("A verbatim string has no format.");
        _payloadEnd = _lineStart + (int)length + 2;
        _formatColon = type == RespType.VerbatimString ? _lineStart + 3 : 0;
        return false;
    }

    private bool EndPayload(ReadOnlySpan<byte> reply)
    {
        if (reply[_payloadEnd - 2] != '\r' || reply[_payloadEnd - 1] != '\n')
            throw new RespProtocolException("A string of a reply is not as long as it says.");
        if (_formatColon > 0 && reply[_formatColon] != ':')
            throw new RespProtocolException("A verbatim string has no format.");
        _lineStart = _searched = _payloadEnd;
        _payloadEnd = 0;
        return Close();
    }

    private bool Open(RespType type, ReadOnlySpan<byte> digits)
    {
        if (type == RespType.Array && digits.SequenceEqual("-1"u8))
            return Close();
        if (type == RespType.Push && _depth > 0)
            throw new RespProtocolException("A push message stands inside a reply.");
        var values = Length(type, digits) * RespTypes.ValuesPerElement(type);
        if (values > limits.MaxElements)
            throw new RespProtocolException($"A reply announces {values} elements; the limit is {limits.MaxElements}.");
        if (type == RespType.Attribute)
            values++;
        if (values == 0)
            return Close();
        if (_depth >= limits.MaxDepth)
            throw new RespProtocolException($"A reply is nested deeper than {limits.MaxDepth}.");
        _due[_depth++] = (int)values;
        return false;
    }

    // A value is finished, and with it perhaps the levels that it was the last value of. True when the reply is.
    private bool Close()
    {
        while (_depth > 0)
        {
            if (--_due[_depth - 1] > 0)
                return false;
            _depth--;
        }
        return true;
    }

    private static long Length(RespType type, ReadOnlySpan<byte> digits) => RespNumbers.TryParseLength(digits, out var length)
        ? length
        : throw new RespProtocolException($"A reply has a malformed length after '{(char)type}'.");

    [InlineArray(RespLimits.DeepestDepth)]
    private struct Levels
    {
        private int _first;
    }
}
