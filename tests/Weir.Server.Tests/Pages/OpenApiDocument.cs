using System.Text.Json;
using Weir.Server.Tests.Http;

namespace Weir.Server.Tests.Pages;

/// <summary>The description that a node serves, as something to look things up in.</summary>
internal sealed class OpenApiDocument(JsonElement root)
{
    private static readonly string[] Methods = ["get", "put", "post", "delete", "head", "options", "patch", "trace"];

    public JsonElement Root => root;

    public static async Task<OpenApiDocument> OfAsync(RunningNode node) => new((await node.GetAsync("/openapi.json")).Json);

    /// <summary>Every operation, such as <c>GET /health</c>.</summary>
    public IEnumerable<(string Method, string Path, JsonElement Operation)> Operations =>
        from path in root.GetProperty("paths").EnumerateObject()
        from method in path.Value.EnumerateObject()
        where Methods.Contains(method.Name)
        select (method.Name.ToUpperInvariant(), path.Name, method.Value);

    public JsonElement Operation(string method, string path) => root.GetProperty("paths").GetProperty(path).GetProperty(method.ToLowerInvariant());

    /// <summary>What an operation says about a status; null when it says nothing.</summary>
    public JsonElement? Response(JsonElement operation, int status) =>
        operation.GetProperty("responses").TryGetProperty(status.ToString(), out var response) ? Resolve(response) : null;

    /// <summary>Follows a reference, if it is one.</summary>
    public JsonElement Resolve(JsonElement element) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty("$ref", out var reference) ? Find(reference.GetString()!) : element;

    /// <summary>Finds what a reference such as <c>#/components/schemas/Rule</c> names.</summary>
    public JsonElement Find(string reference)
    {
        Assert.StartsWith("#/", reference);
        return reference[2..].Split('/').Aggregate(root, (at, name) =>
            at.TryGetProperty(name.Replace("~1", "/").Replace("~0", "~"), out var next) ? next : throw new KeyNotFoundException($"{reference} leads nowhere."));
    }

    /// <summary>Every object of the document, with the place where it stands.</summary>
    public IEnumerable<(string Place, JsonElement Object)> Objects() => Objects("#", root);

    private static IEnumerable<(string Place, JsonElement Object)> Objects(string place, JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Array)
            return element.EnumerateArray().SelectMany((item, i) => Objects($"{place}/{i}", item));
        return element.ValueKind == JsonValueKind.Object
            ? element.EnumerateObject().SelectMany(p => Objects($"{place}/{p.Name}", p.Value)).Prepend((place, element))
            : [];
    }
}
