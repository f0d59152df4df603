using System.Text.Json;

namespace Weir.Stack.Tests.Running;

/// <summary>Short ways through JSON that may lack what is looked for.</summary>
internal static class Json
{
    /// <summary>The value at a path of names, or an undefined element.</summary>
    public static JsonElement At(this JsonElement element, params string[] path)
    {
        foreach (var name in path)
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element))
                return default;
        }
        return element;
    }

    /// <summary>The text of a value, "" for none.</summary>
    public static string Text(this JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Undefined or JsonValueKind.Null => "",
        JsonValueKind.String => element.GetString()!,
        _ => element.GetRawText(),
    };

    /// <summary>The items of a list, none for no list.</summary>
    public static List<JsonElement> Items(this JsonElement element) => element.ValueKind == JsonValueKind.Array ? [.. element.EnumerateArray()] : [];

    /// <summary>The members of an object, none for no object.</summary>
    public static List<JsonProperty> Members(this JsonElement element) => element.ValueKind == JsonValueKind.Object ? [.. element.EnumerateObject()] : [];

    /// <summary>What a text holds.</summary>
    public static JsonElement Parse(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}
