using System.Text;

namespace Weir.LoadGen.Sending;

/// <summary>A text with <c>{key}</c> and <c>{seq}</c> in it. Immutable.</summary>
internal sealed class Template
{
    private const string Key = "{key}";
    private const string Sequence = "{seq}";

    private readonly string[] _pieces;

    private Template(string text, string[] pieces) => (Text, _pieces) = (text, pieces);

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>Whether the key is in it.</summary>
    public bool HasKey => _pieces.Contains(Key);

    /// <summary>Whether the request's number is in it.</summary>
    public bool HasSequence => _pieces.Contains(Sequence);

    /// <summary>Whether it is the same text for every request.</summary>
    public bool IsFixed => !HasKey && !HasSequence;

    /// <summary>Cuts a text into pieces. Other braces are text.</summary>
    public static Template Parse(string text)
    {
        var pieces = new List<string>();
        var rest = text;
        while (rest.Length > 0)
        {
            var at = First(rest);
            if (at > 0)
                pieces.Add(rest[..at]);
            if (at < rest.Length)
                pieces.Add(rest[at..].StartsWith(Key, StringComparison.Ordinal) ? Key : Sequence);
            rest = at < rest.Length ? rest[(at + Key.Length)..] : "";
        }
        return new Template(text, [.. pieces]);
    }

    /// <summary>The text of one request.</summary>
    public string Fill(string key, long sequence)
    {
        if (_pieces is [var only] && only is not (Key or Sequence))
            return only;
        var filled = new StringBuilder(Text.Length + key.Length);
        foreach (var piece in _pieces)
        {
            if (ReferenceEquals(piece, Key))
                filled.Append(key);
            else if (ReferenceEquals(piece, Sequence))
                filled.Append(sequence);
            else
                filled.Append(piece);
        }
        return filled.ToString();
    }

    private static int First(string text)
    {
        var key = text.IndexOf(Key, StringComparison.Ordinal);
        var sequence = text.IndexOf(Sequence, StringComparison.Ordinal);
        return Math.Min(key < 0 ? text.Length : key, sequence < 0 ? text.Length : sequence);
    }
}
