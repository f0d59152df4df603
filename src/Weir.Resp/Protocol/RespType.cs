namespace Weir.Resp;

/// <summary>What kind of value a reply, or an element of one, is. The numbers are the bytes that stand for the kinds on the wire.</summary>
public enum RespType : byte
{
    /// <summary>No value was read yet.</summary>
    None = 0,

    /// <summary>A short text without line breaks, such as <c>OK</c>.</summary>
    SimpleString = (byte)'+',

    /// <summary>An error: a word in capitals that says which, and a text for people.</summary>
    Error = (byte)'-',

    /// <summary>A 64-bit signed number.</summary>
    Integer = (byte)':',

    /// <summary>Any bytes.</summary>
    BulkString = (byte)'$',

    /// <summary>A list of values.</summary>
    Array = (byte)'*',

    /// <summary>No value. The null strings and null arrays of RESP2 are read as this too.</summary>
    Null = (byte)'_',

    /// <summary>True or false. RESP3.</summary>
    Boolean = (byte)'#',

    /// <summary>A floating-point number. RESP3.</summary>
    Double = (byte)',',

    /// <summary>A whole number of any length. RESP3.</summary>
    BigNumber = (byte)'(',

    /// <summary>An error that may contain any bytes. RESP3.</summary>
    BulkError = (byte)'!',

    /// <summary>A text with a format of three letters. RESP3.</summary>
    VerbatimString = (byte)'=',

    /// <summary>Keys and values by turns. RESP3; RESP2 sends an array.</summary>
    Map = (byte)'%',

    /// <summary>An unordered collection. RESP3; RESP2 sends an array.</summary>
    Set = (byte)'~',

    /// <summary>A message that answers no command. RESP3.</summary>
    Push = (byte)'>',

    /// <summary>Remarks on the value that follows. RESP3; readers skip them.</summary>
    Attribute = (byte)'|',
}
