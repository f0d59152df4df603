using System.Text;
using System.Text.Json;
using Weir.Server.Deciding;

namespace Weir.Server.Http;

/// <content>Strict objects, lists, texts and numbers.</content>
internal ref partial struct BodyReader
{
    private void Object(string path, Field field, string known)
    {
        if (_json.TokenType != JsonTokenType.StartObject)
            throw new InputException(path.Length == 0 ? "body" : path, "must be a JSON object.");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (true)
        {
            Next();
            if (_json.TokenType == JsonTokenType.EndObject)
                return;
            var name = String(path.Length == 0 ? "body" : path);
            var at = Join(path, name);
            if (!seen.Add(name))
                throw new InputException(at, "is given twice. Give it once.");
            Next();
            if (!field(ref this, name, at))
                throw new InputException(at, $"is not a field of this call. Known: {known}.");
        }
    }

    private void Array(string path, int most, Field item)
    {
        if (_json.TokenType != JsonTokenType.StartArray)
            throw new InputException(path, $"must be a list of 1 to {most:N0}.");
        for (var index = 0; ; index++)
        {
            Next();
            if (_json.TokenType == JsonTokenType.EndArray)
            {
                if (index == 0)
                    throw new InputException(path, $"is empty. Give 1 to {most:N0}.");
                return;
            }
            if (index == most)
                throw new InputException(path, $"has more than {most:N0}. Send the rest in another request.");
            item(ref this, "", $"{path}[{index}]");
        }
    }

    private string Text(string path, int maxBytes = RuleBounds.MaxKeyBytes)
    {
        if (_json.TokenType != JsonTokenType.String)
            throw new InputException(path, $"{Shown()} must be text in quotes.");
        var text = String(path);
        return text.Length <= maxBytes && Encoding.UTF8.GetByteCount(text) <= maxBytes
            ? text
            : throw new InputException(path, $"is {Encoding.UTF8.GetByteCount(text)} bytes long and may be {maxBytes}. {(maxBytes == RuleBounds.MaxKeyBytes ? "Send a hash of it instead." : "Send it as it was given.")}");
    }

    private readonly string String(string path)
    {
        try
        {
            return _json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new InputException(path, "is not valid UTF-8, or has half of a surrogate pair. Send text in UTF-8.");
        }
    }

    private readonly bool IsNull => _json.TokenType == JsonTokenType.Null;

    private bool Flag(string path) => _json.TokenType is JsonTokenType.True or JsonTokenType.False
        ? _json.TokenType == JsonTokenType.True
        : throw new InputException(path, $"{Shown()} must be true or false.");

    private T Choice<T>(string path, IReadOnlyList<string> names)
        where T : struct, Enum
    {
        var text = Text(path);
        for (var i = 0; i < names.Count; i++)
        {
            if (names[i] == text)
                return Enum.GetValues<T>()[i];
        }
        throw new InputException(path, $"'{text}' is none of {string.Join(", ", names)}.");
    }

    private long Whole(string path, long least, long most)
    {
        if (_json.TokenType == JsonTokenType.Number)
            return InputRanges.Whole(path, Encoding.UTF8.GetString(_json.ValueSpan), least, most);
        throw new InputException(path, $"{Shown()} must be a whole number from {least:N0} to {most:N0}.");
    }

    private readonly string Shown() => _json.TokenType switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "a list",
        JsonTokenType.String => $"'{(_json.ValueSpan.Length <= 40 ? Encoding.UTF8.GetString(_json.ValueSpan) : "...")}'",
        _ => Encoding.UTF8.GetString(_json.ValueSpan),
    };

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}
