namespace Weir.AspNetCore.Outgoing.Fields;

/// <summary>What a bare item of a structured field is.</summary>
internal enum StructuredKind
{
    Integer,
    Decimal,
    String,
    Token,
    Bytes,
    Boolean,
    Date,
    DisplayString,
    InnerList,
}

/// <summary>A bare item.</summary>
internal readonly ref struct StructuredValue(StructuredKind kind, long integer, ReadOnlySpan<char> text)
{
    public StructuredKind Kind { get; } = kind;

    /// <summary>The number of an integer or date, 1 for true, 0 for everything else.</summary>
    public long Integer { get; } = integer;

    /// <summary>
    /// What stands between the delimiters, escapes as they came: a string has only one way to be written, so that equal texts are equal
    /// strings.
    /// </summary>
    public ReadOnlySpan<char> Text { get; } = text;

    /// <summary>The number, if this is an integer that is not negative.</summary>
    public bool TryGetCount(out long count)
    {
        count = Integer;
        return Kind == StructuredKind.Integer && Integer >= 0;
    }
}

/// <summary>
/// Reads a structured field (RFC 9651) from left to right without allocating. A list: <see cref="NextMember"/>, <see cref="ReadItem"/>, then
/// <see cref="NextParameter"/> until it is false, and again. A dictionary: the same with <see cref="NextKey"/> first.
/// </summary>
/// <remarks>
/// Everything returns false at the end and at the first mistake, which <see cref="Failed"/> tells apart: a field with a mistake anywhere is to
/// be ignored as a whole.
/// </remarks>
internal ref struct StructuredReader(ReadOnlySpan<char> field)
{
    private const int MaxIntegerDigits = 15;
    private const int MaxDecimalDigits = 12;
    private readonly ReadOnlySpan<char> _field = field.Trim(' ');
    private int _at;
    private bool _begun;

    /// <summary>Something in what was read so far is not a structured field.</summary>
    public bool Failed { get; private set; }

    /// <summary>Goes to the next member of a list or dictionary.</summary>
    public bool NextMember()
    {
        if (Failed)
            return false;
        if (!_begun)
        {
            _begun = true;
            return _at < _field.Length;
        }
        SkipOptionalSpace();
        if (_at == _field.Length)
            return false;
        if (_field[_at++] != ',')
            return Fail();
        SkipOptionalSpace();
        return _at < _field.Length || Fail();
    }

    /// <summary>Reads a dictionary member's key; <paramref name="hasValue"/> is false where a bare key stands for true.</summary>
    public bool NextKey(out ReadOnlySpan<char> key, out bool hasValue)
    {
        hasValue = false;
        if (!ReadKey(out key))
            return false;
        hasValue = Take('=');
        return true;
    }

    /// <summary>Reads a member: an item, or an inner list, whose items are checked and passed over.</summary>
    public bool ReadItem(out StructuredValue value)
    {
        if (_at == _field.Length || _field[_at] != '(')
            return ReadBareItem(out value);
        value = new StructuredValue(StructuredKind.InnerList, 0, default);
        _at++;
        while (true)
        {
            SkipSpaces();
            if (Take(')'))
                return true;
            if (!ReadBareItem(out _))
                return false;
            while (NextParameter(out _, out _))
                continue;
            if (Failed)
                return false;
            if (_at == _field.Length || _field[_at] is not (' ' or ')'))
                return Fail();
        }
    }

    /// <summary>Reads the next parameter of the member or item that was read last.</summary>
    public bool NextParameter(out ReadOnlySpan<char> key, out StructuredValue value)
    {
        key = default;
        value = new StructuredValue(StructuredKind.Boolean, 1, default);
        if (Failed || !Take(';'))
            return false;
        SkipSpaces();
        return ReadKey(out key) && (!Take('=') || ReadBareItem(out value));
    }

    private bool ReadKey(out ReadOnlySpan<char> key)
    {
        key = default;
        if (Failed)
            return false;
        var start = _at;
        if (_at == _field.Length || !(char.IsAsciiLetterLower(_field[_at]) || _field[_at] == '*'))
            return Fail();
        while (_at < _field.Length && (char.IsAsciiLetterLower(_field[_at]) || char.IsAsciiDigit(_field[_at]) || _field[_at] is '_' or '-' or '.' or '*'))
            _at++;
        key = _field[start.._at];
        return true;
    }

    private bool ReadBareItem(out StructuredValue value)
    {
        value = default;
        if (Failed)
            return false;
        if (_at == _field.Length)
            return Fail();
        return _field[_at] switch
        {
            '-' or (>= '0' and <= '9') => ReadNumber(out value),
            '"' => ReadString(out value),
            ':' => ReadBytes(out value),
            '?' => ReadBoolean(out value),
            '@' => ReadDate(out value),
            '%' => ReadDisplayString(out value),
            _ => ReadToken(out value),
        };
    }

    private bool ReadNumber(out StructuredValue value)
    {
        value = default;
        var start = _at;
        var negative = Take('-');
        var first = _at;
        var number = 0L;
        for (; _at < _field.Length && char.IsAsciiDigit(_field[_at]); _at++)
        {
            if (_at - first == MaxIntegerDigits)
                return Fail();
            number = number * 10 + (_field[_at] - '0');
        }
        var digits = _at - first;
        if (digits == 0)
            return Fail();
        if (!Take('.'))
        {
            value = new StructuredValue(StructuredKind.Integer, negative ? -number : number, _field[start.._at]);
            return true;
        }
        var point = _at;
        while (_at < _field.Length && char.IsAsciiDigit(_field[_at]))
            _at++;
        if (digits > MaxDecimalDigits || _at - point is < 1 or > 3)
            return Fail();
        value = new StructuredValue(StructuredKind.Decimal, 0, _field[start.._at]);
        return true;
    }

    private bool ReadString(out StructuredValue value)
    {
        value = default;
        var start = ++_at;
        for (; _at < _field.Length; _at++)
        {
            var c = _field[_at];
            if (c == '"')
            {
                value = new StructuredValue(StructuredKind.String, 0, _field[start.._at++]);
                return true;
            }
            if (c is < ' ' or > '~')
                return Fail();
            if (c == '\\' && (++_at == _field.Length || _field[_at] is not ('"' or '\\')))
                return Fail();
        }
        return Fail();
    }

    private bool ReadBytes(out StructuredValue value)
    {
        value = default;
        var start = ++_at;
        for (; _at < _field.Length; _at++)
        {
            var c = _field[_at];
            if (c == ':')
            {
                value = new StructuredValue(StructuredKind.Bytes, 0, _field[start.._at++]);
                return true;
            }
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '/' or '='))
                return Fail();
        }
        return Fail();
    }

    private bool ReadBoolean(out StructuredValue value)
    {
        value = default;
        _at++;
        if (_at == _field.Length || _field[_at] is not ('0' or '1'))
            return Fail();
        value = new StructuredValue(StructuredKind.Boolean, _field[_at++] - '0', default);
        return true;
    }

    private bool ReadDate(out StructuredValue value)
    {
        value = default;
        _at++;
        if (_at == _field.Length || !ReadNumber(out var number))
            return Fail();
        value = new StructuredValue(StructuredKind.Date, number.Integer, number.Text);
        return number.Kind == StructuredKind.Integer || Fail();
    }

    private bool ReadDisplayString(out StructuredValue value)
    {
        value = default;
        _at++;
        if (!Take('"'))
            return Fail();
        var start = _at;
        for (; _at < _field.Length; _at++)
        {
            var c = _field[_at];
            if (c == '"')
            {
                value = new StructuredValue(StructuredKind.DisplayString, 0, _field[start.._at++]);
                return true;
            }
            if (c is < ' ' or > '~')
                return Fail();
            if (c == '%')
            {
                if (_at + 2 >= _field.Length || !char.IsAsciiHexDigitLower(_field[_at + 1]) || !char.IsAsciiHexDigitLower(_field[_at + 2]))
                    return Fail();
                _at += 2;
            }
        }
        return Fail();
    }

    private bool ReadToken(out StructuredValue value)
    {
        value = default;
        var start = _at;
        if (!char.IsAsciiLetter(_field[_at]) && _field[_at] != '*')
            return Fail();
        while (_at < _field.Length && (char.IsAsciiLetterOrDigit(_field[_at]) || "!#$%&'*+-.^_`|~:/".Contains(_field[_at])))
            _at++;
        value = new StructuredValue(StructuredKind.Token, 0, _field[start.._at]);
        return true;
    }

    private bool Take(char c)
    {
        if (_at == _field.Length || _field[_at] != c)
            return false;
        _at++;
        return true;
    }

    private void SkipSpaces()
    {
        while (_at < _field.Length && _field[_at] == ' ')
            _at++;
    }

    private void SkipOptionalSpace()
    {
        while (_at < _field.Length && _field[_at] is (' ' or '\t'))
            _at++;
    }

    private bool Fail()
    {
        Failed = true;
        return false;
    }
}
