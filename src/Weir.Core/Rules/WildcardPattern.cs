namespace Weir;

/// <summary>
/// A value with <c>*</c> in it: each stands for any number of characters, also none. Case matters. A star once passed is not tried again,
/// so nobody can send a value that takes long.
/// </summary>
internal sealed class WildcardPattern
{
    private readonly string _prefix;
    private readonly string[] _inner;
    private readonly string _suffix;

    public WildcardPattern(string text)
    {
        Text = text;
        var parts = text.Split('*');
        _prefix = parts[0];
        _suffix = parts[^1];
        _inner = Array.FindAll(parts[1..^1], part => part.Length > 0);
    }

    public string Text { get; }

    public static bool IsPattern(string value) => value.Contains('*');

    public bool Matches(ReadOnlySpan<char> value)
    {
        if (value.Length < _prefix.Length + _suffix.Length || !value.StartsWith(_prefix) || !value.EndsWith(_suffix))
            return false;
        value = value[_prefix.Length..^_suffix.Length];
        // The leftmost place for a part leaves the most room for the parts after it, so the first fit is enough.
        foreach (var part in _inner)
        {
            var at = value.IndexOf(part);
            if (at < 0)
                return false;
            value = value[(at + part.Length)..];
        }
        return true;
    }
}
